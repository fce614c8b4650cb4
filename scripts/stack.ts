/**
 * `npm run stack -- up|down|status`: a real Kafka and the Collector on this machine, for tests and for trying things.
 * Everything they write is in `.stack/`; `down` stops them and keeps it.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { collectorProgram, startCollector } from './stack/collector.ts'
import { kafkaJars, startKafka } from './stack/kafka.ts'
import { missingTools } from './stack/tools.ts'

type StackState = {
  readonly kafka: { readonly pid: number; readonly bootstrap: string }
  readonly collector: { readonly pid: number; readonly url: string; readonly metricsUrl: string }
}

const FOLDER = join(import.meta.dirname, '../.stack')
const STATE_FILE = join(FOLDER, 'state.json')
const TOKEN_FILE = join(FOLDER, 'token')
const STOP_MS = 15_000

const tell = (line: string) => process.stderr.write(`${line}\n`)

async function up(): Promise<number> {
  if (livePids().length > 0) {
    tell('the stack is up already')
    return status()
  }
  const missing = missingTools(['java', 'mvn', 'go'])
  if (missing.length > 0) {
    tell(`The stack needs ${missing.join(', and ')}.`)
    return 1
  }
  tell(
    'building, where it has not been done yet: Kafka takes half a minute, the Collector some five …',
  )
  await kafkaJars()
  await collectorProgram()
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 })
  const kafka = await startKafka({ folder: join(FOLDER, 'kafka'), detached: true })
  try {
    const collector = await startCollector({
      folder: join(FOLDER, 'collector'),
      kafkaBrokers: kafka.bootstrap,
      token: token(),
      detached: true,
    })
    const state: StackState = {
      kafka: { pid: kafka.pid, bootstrap: kafka.bootstrap },
      collector: { pid: collector.pid, url: collector.url, metricsUrl: collector.metricsUrl },
    }
    writeFileSync(STATE_FILE, `${JSON.stringify(state, null, 2)}\n`)
  } catch (error) {
    await kafka.stop()
    throw error
  }
  return status()
}

async function down(): Promise<number> {
  // The Collector first, so that Kafka takes what it still holds.
  for (const pid of livePids().reverse()) await stopProcess(pid)
  rmSync(STATE_FILE, { force: true })
  tell(`the stack is down; its data and logs are in ${FOLDER}`)
  return 0
}

/** @returns the exit code: 0 where all of it is up, 3 where not */
function status(): number {
  const state = readState()
  const isUp = state !== null && livePids().length === 2
  if (state === null || !isUp) {
    tell(state === null ? 'the stack is down' : 'the stack is up in part: run down, then up')
    return 3
  }
  const { kafka, collector } = state
  const lines = [
    `kafka      ${kafka.bootstrap} (pid ${kafka.pid})`,
    `collector  ${collector.url} (pid ${collector.pid}), token in ${TOKEN_FILE}`,
    `metrics    ${collector.metricsUrl}`,
    `logs       ${join(FOLDER, 'kafka/kafka.log')}, ${join(FOLDER, 'collector/collector.log')}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  return 0
}

function token(): string {
  if (existsSync(TOKEN_FILE)) return readFileSync(TOKEN_FILE, 'utf8').trim()
  const made = randomBytes(32).toString('base64url')
  writeFileSync(TOKEN_FILE, made, { mode: 0o600 })
  return made
}

function readState(): StackState | null {
  if (!existsSync(STATE_FILE)) return null
  return JSON.parse(readFileSync(STATE_FILE, 'utf8')) as StackState
}

/** Those of the state that run; a number that another program has by now is told by its command line. */
function livePids(): number[] {
  const state = readState()
  if (state === null) return []
  return [state.kafka.pid, state.collector.pid].filter((pid) => isOurs(pid))
}

function isOurs(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const commandLine = `/proc/${pid}/cmdline`
  return !existsSync(commandLine) || readFileSync(commandLine, 'utf8').includes('tokenfuse')
}

async function stopProcess(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM')
  const giveUpMs = Date.now() + STOP_MS
  while (isOurs(pid)) {
    if (Date.now() > giveUpMs) process.kill(pid, 'SIGKILL')
    await wait(100)
  }
}

const COMMANDS: Readonly<Record<string, () => number | Promise<number>>> = { up, down, status }
const command = COMMANDS[process.argv[2] ?? '']
if (command === undefined) {
  tell('npm run stack -- up|down|status')
  process.exitCode = 2
} else {
  try {
    process.exitCode = await command()
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
  }
}
