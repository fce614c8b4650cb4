import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { sendSpool, type SpoolReport } from '@tokenfuse/instrumentation/spool'
import type { Dimension, StatusAnswer, UsageAnswer } from '@tokenfuse/protocol'
import { readyLine, spawnNode, spawnSource, stopChild } from './child.ts'

// Processors and agents as processes of their own, for whatever runs the whole: verification, replay, the demo.

const repository = join(import.meta.dirname, '../..')
const processorMain = join(repository, 'processor/src/main.ts')
const preload = join(repository, 'instrumentation/dist/register.js')

/** A folder in the system's temporary folder; `remove` takes it away with all that is in it. */
export function makeTemporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'tokenfuse-run-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

export type ProcessorProcess = {
  readonly url: string
  readonly port: number
  readonly token: string
  readonly pid: number
  readonly dataDirectory: string
  usage(by: readonly Dimension[]): Promise<UsageAnswer>
  status(): Promise<StatusAnswer>
  /** SIGTERM stops it in good order, SIGKILL as a crash. Resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

export type ProcessorSettings = {
  readonly port?: number
  readonly policyFile?: string
  /** Brokers of a Kafka that holds the log. */
  readonly kafka?: string
  readonly roles?: string
  /** Beside what this process has. */
  readonly environment?: Readonly<Record<string, string>>
}

/** Starts a processor on a data folder, on a free port unless one is named. */
export async function startProcessorProcess(
  dataDirectory: string,
  options: ProcessorSettings = {},
): Promise<ProcessorProcess> {
  const policy = options.policyFile === undefined ? [] : ['--policy', options.policyFile]
  const kafka = options.kafka === undefined ? [] : ['--kafka', options.kafka]
  const roles = options.roles === undefined ? [] : ['--roles', options.roles]
  const port = String(options.port ?? 0)
  const args = ['--data', dataDirectory, '--port', port, ...policy, ...kafka, ...roles]
  const child = spawnSource(processorMain, args, {
    environment: { ...process.env, ...options.environment },
  })
  const url = String((await readyLine(child))['url'])
  const token = readFileSync(join(dataDirectory, 'token'), 'utf8').trim()
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(url + path, { headers: { authorization: `Bearer ${token}` } })
    if (response.ok) return response.json()
    throw new Error(`the processor answered ${response.status}: ${await response.text()}`)
  }
  return {
    url,
    port: Number(new URL(url).port),
    token,
    pid: child.pid ?? 0,
    dataDirectory,
    usage: async (by) => {
      const query = by.map((dimension) => `by=${encodeURIComponent(dimension)}`).join('&')
      return (await get(`/v1/usage?${query}&top=10000`)) as UsageAnswer
    },
    status: async () => (await get('/v1/status')) as StatusAnswer,
    stop: (signal) => stopChild(child, signal),
  }
}

export type AgentSettings = {
  readonly processor: { readonly url: string; readonly token: string }
  /** As `TOKENFUSE_HOSTS` has them. */
  readonly hosts: readonly string[]
  readonly spoolDirectory: string
  readonly environment?: Readonly<Record<string, string>>
}

/** How the preload is told that a stand-in speaks for both families. */
export function hostsOf(provider: { readonly url: string }): string[] {
  const { host } = new URL(provider.url)
  return [`${host}=openai+usage`, `${host}=anthropic`]
}

/**
 * Starts an agent with the built preload, as an app is: nothing else of this repository, and nothing of the
 * environment that could change what it does.
 * @throws {Error} where the preload has not been built
 */
export function spawnAgent(
  file: string,
  args: readonly string[],
  settings: AgentSettings,
): ChildProcess {
  if (!existsSync(preload)) throw new Error('the preload is not built: run "npm run build" first')
  return spawnNode(file, args, {
    nodeArgs: ['--import', pathToFileURL(preload).href],
    environment: {
      PATH: process.env['PATH'],
      TOKENFUSE_URL: settings.processor.url,
      TOKENFUSE_TOKEN: settings.processor.token,
      TOKENFUSE_HOSTS: settings.hosts.join(','),
      TOKENFUSE_SPOOL_DIR: settings.spoolDirectory,
      OPENAI_API_KEY: 'any',
      ANTHROPIC_API_KEY: 'any',
      ...settings.environment,
    },
  })
}

/** Sends what agents left when they ended, as `tokenfuse run` does. */
export async function sendLeftSpans(
  processor: { readonly url: string; readonly token: string },
  spoolDirectory: string,
): Promise<SpoolReport> {
  return sendSpool({
    directory: spoolDirectory,
    endpoint: `${processor.url}/v1/traces`,
    headers: { authorization: `Bearer ${processor.token}` },
  })
}

/** All output of a child, and how it ended. */
export async function finished(
  child: ChildProcess,
): Promise<{ code: number | null; signal: NodeJS.Signals | null; output: string }> {
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal, output }
}
