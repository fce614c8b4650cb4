import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtOnce } from './cache.ts'
import { freePorts, isListening } from './ports.ts'
import { type Service, startService } from './service.ts'
import { requireTool, runTool } from './tools.ts'

const SOURCES = join(import.meta.dirname, 'kafka')
const POM = join(SOURCES, 'pom.xml')
const LOGGING = join(SOURCES, 'log4j2.properties')
/** A broker that was killed reads its log again, on a busy machine for long. */
const READY_MS = 120_000

export type Kafka = Service & {
  readonly bootstrap: string
  readonly ports: KafkaPorts
}
export type KafkaPorts = { readonly broker: number; readonly controller: number }

export type KafkaOptions = {
  /** Its data, settings and log. Started again on the same folder, it goes on with what is there. */
  readonly folder: string
  /** Default: free ones. */
  readonly ports?: KafkaPorts
  readonly detached?: boolean
  /** Lines of settings that are added to those of `kafka/server.properties`. */
  readonly settings?: readonly string[]
  /** Further arguments with which the data is formatted, such as for users. */
  readonly formatArgs?: readonly string[]
}

/** Kafka's jars from Maven, once for each state of `kafka/pom.xml`. */
export function kafkaJars(): Promise<string> {
  return builtOnce('kafka', [POM], async (folder) => {
    const args = ['-q', '-B', '-f', POM, 'dependency:copy-dependencies']
    const settings = [`-DoutputDirectory=${folder}`, '-DincludeScope=runtime']
    await runTool(requireTool('mvn'), [...args, ...settings], { folder })
  })
}

/** Starts one broker that is its own controller, for tests: nothing is replicated. */
export async function startKafka(options: KafkaOptions): Promise<Kafka> {
  const { folder, detached = false, settings = [], formatArgs = [] } = options
  const java = requireTool('java')
  const jars = await kafkaJars()
  mkdirSync(folder, { recursive: true })
  const ports = options.ports ?? (await freeKafkaPorts())
  const settingsFile = join(folder, 'server.properties')
  writeFileSync(settingsFile, [settingsText(folder, ports), ...settings].join('\n'))
  const classPath = ['-cp', join(jars, '*')]
  if (!existsSync(join(folder, 'data/meta.properties'))) {
    await format(
      java,
      [...classPath, 'kafka.tools.StorageTool'],
      [...formatArgs, '-c', settingsFile],
    )
  }
  const service = await startService({
    name: 'Kafka',
    command: java,
    args: [
      '-Xms128m',
      '-Xmx512m',
      '-XX:+UseSerialGC',
      `-Dlog4j2.configurationFile=${LOGGING}`,
      ...classPath,
      'kafka.Kafka',
      settingsFile,
    ],
    folder,
    logFile: join(folder, 'kafka.log'),
    isReady: () => isListening(ports.broker),
    readyWithinMs: READY_MS,
    detached,
  })
  return { ...service, bootstrap: `127.0.0.1:${ports.broker}`, ports }
}

async function freeKafkaPorts(): Promise<KafkaPorts> {
  const [broker = 0, controller = 0] = await freePorts(2)
  return { broker, controller }
}

async function format(java: string, tool: readonly string[], settings: readonly string[]) {
  const folder = SOURCES
  const id = (await runTool(java, [...tool, 'random-uuid'], { folder })).trim().split('\n').at(-1)
  const args = ['format', '--standalone', '-t', id ?? '', ...settings]
  await runTool(java, [...tool, ...args], { folder })
}

/** `kafka/server.properties` with the places filled in. */
function settingsText(folder: string, { broker, controller }: KafkaPorts): string {
  return readFileSync(join(SOURCES, 'server.properties'), 'utf8')
    .replaceAll('$BROKER_PORT', String(broker))
    .replaceAll('$CONTROLLER_PORT', String(controller))
    .replaceAll('$FOLDER', folder)
}
