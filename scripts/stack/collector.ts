import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { builtOnce } from './cache.ts'
import { freePorts } from './ports.ts'
import { type Service, startService } from './service.ts'
import { requireTool, runTool } from './tools.ts'

const ROOT = join(import.meta.dirname, '../..')
const SOURCES = join(ROOT, 'collector')
export const COLLECTOR_CONFIG = join(ROOT, 'otel-collector.yaml')
const PROGRAM = 'otelcol-tokenfuse'
/** Without it, what links of spans carry is not removed. */
const GATES = '--feature-gates=ottl.set.allowNil'
const READY_MS = 60_000

export type CollectorPorts = {
  readonly http: number
  readonly grpc: number
  readonly health: number
  readonly metrics: number
  readonly self: number
}

export type Collector = Service & {
  /** Where senders of OTLP/HTTP go, without the path. */
  readonly url: string
  readonly token: string
  readonly ports: CollectorPorts
  /** Where Prometheus reads the agents' metrics. */
  readonly metricsUrl: string
  readonly selfMetricsUrl: string
}

export type CollectorOptions = {
  /** Its queue and log. Started again on the same folder, it goes on with what is there. */
  readonly folder: string
  readonly kafkaBrokers: string
  readonly token: string
  /** Default: free ones. */
  readonly ports?: CollectorPorts
  readonly detached?: boolean
}

/** The Collector's program, built from `collector/` once for each state of it. */
export async function collectorProgram(): Promise<string> {
  const sources = readdirSync(SOURCES)
    .filter((name) => /^go\.(mod|sum)$|\.go$/.test(name))
    .sort()
  const files = sources.map((name) => join(SOURCES, name))
  const built = await builtOnce('collector', files, async (folder) => {
    // Built apart, so that nothing that Go writes can change the sources.
    const work = join(folder, 'sources')
    mkdirSync(work)
    for (const name of sources) copyFileSync(join(SOURCES, name), join(work, name))
    const flags = ['-trimpath', '-mod=readonly', '-ldflags=-s -w', '-tags=grpcnotrace']
    await runTool(requireTool('go'), ['build', ...flags, '-o', join(folder, PROGRAM), '.'], {
      folder: work,
      environment: { CGO_ENABLED: '0' },
    })
  })
  return join(built, PROGRAM)
}

/** Starts the Collector with the `otel-collector.yaml` of the root. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const { folder, token, detached = false } = options
  const program = await collectorProgram()
  mkdirSync(folder, { recursive: true })
  const ports = options.ports ?? (await freeCollectorPorts())
  const health = `http://127.0.0.1:${ports.health}`
  const service = await startService({
    name: 'the Collector',
    command: program,
    args: ['--config', COLLECTOR_CONFIG, GATES],
    folder,
    environment: collectorEnvironment(folder, options, ports),
    logFile: join(folder, 'collector.log'),
    isReady: () => answers(health),
    readyWithinMs: READY_MS,
    detached,
  })
  return {
    ...service,
    url: `http://127.0.0.1:${ports.http}`,
    token,
    ports,
    metricsUrl: `http://127.0.0.1:${ports.metrics}/metrics`,
    selfMetricsUrl: `http://127.0.0.1:${ports.self}/metrics`,
  }
}

/**
 * Holds a Collector file against what the program knows.
 * @throws {Error} with what it says where the file does not hold
 */
export async function validateCollectorConfig(file: string, folder: string): Promise<void> {
  const program = await collectorProgram()
  mkdirSync(folder, { recursive: true })
  const ports = { http: 0, grpc: 0, health: 0, metrics: 0, self: 0 }
  const options = { folder, kafkaBrokers: '127.0.0.1:1', token: 'any' }
  const environment = collectorEnvironment(folder, options, ports)
  await runTool(program, ['validate', '--config', file, GATES], { folder, environment })
}

async function freeCollectorPorts(): Promise<CollectorPorts> {
  const [http = 0, grpc = 0, health = 0, metrics = 0, self = 0] = await freePorts(5)
  return { http, grpc, health, metrics, self }
}

function collectorEnvironment(
  folder: string,
  { kafkaBrokers, token }: CollectorOptions,
  ports: CollectorPorts,
): Record<string, string> {
  const tokenFile = join(folder, 'ingest-token')
  writeFileSync(tokenFile, token, { mode: 0o600 })
  return {
    KAFKA_BROKERS: kafkaBrokers,
    INGEST_TOKEN_FILE: tokenFile,
    OTLP_HTTP_ENDPOINT: `127.0.0.1:${ports.http}`,
    OTLP_GRPC_ENDPOINT: `127.0.0.1:${ports.grpc}`,
    QUEUE_DIRECTORY: join(folder, 'queue'),
    HEALTH_ENDPOINT: `127.0.0.1:${ports.health}`,
    METRICS_ENDPOINT: `127.0.0.1:${ports.metrics}`,
    SELF_METRICS_PORT: String(ports.self),
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(1000) })).ok
  } catch {
    return false
  }
}
