import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TOKEN_FILE, TokenfuseError, type ErrorCode } from '@tokenfuse/protocol/names'
import type { ProcessorAddress } from '../processor/find.ts'
import { withoutPreload } from './environment.ts'
import type { FromHost, ToHost } from './host-messages.ts'

const COMMAND = fileURLToPath(new URL('../../bin/tokenfuse.js', import.meta.url))
const END_TIMEOUT_MS = 10_000

/** A processor in a process of its own, started for a run. */
export type EmbeddedProcessor = {
  readonly address: ProcessorAddress
  /** Lets it end, and waits until it has, unless others use it. */
  release(): Promise<void>
}

/**
 * Starts a processor on a data folder.
 * @throws TokenfuseError what `startProcessor` throws, `already_running` among them
 */
export async function startEmbedded(dataDirectory: string): Promise<EmbeddedProcessor> {
  const host = fork(COMMAND, ['run-host', '--data', dataDirectory], {
    // A session of its own: a Ctrl-C at the terminal is for the app, whose last spans still have to be counted.
    detached: true,
    env: withoutPreload(process.env),
    // Not inherited, since it may outlive this process and would hold a pipe that someone reads to its end.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  host.stderr?.on('data', (text: Buffer) => process.stderr.write(text))
  const message = await firstMessage(host)
  if (message.type !== 'ready') {
    letGo(host)
    throw failureOf(message)
  }
  const { url, token } = message
  return {
    address: { url, token, tokenFile: join(dataDirectory, TOKEN_FILE) },
    release: () => release(host),
  }
}

function firstMessage(host: ChildProcess): Promise<FromHost> {
  return new Promise((resolve) => {
    const failed = (message: string) =>
      resolve({ type: 'failed', code: 'processor_unreachable', message, fix: null })
    host.once('message', (message: FromHost) => resolve(message))
    host.once('error', (error) => failed(`the processor cannot be started: ${error.message}`))
    host.once('exit', (code, signal) =>
      failed(`the processor ended at its start (${signal ?? code})`),
    )
  })
}

function failureOf(message: FromHost): TokenfuseError {
  const failed = message.type === 'failed' ? message : null
  const options = failed?.fix ? { fix: failed.fix } : {}
  const code = (failed?.code ?? 'processor_unreachable') as ErrorCode
  return new TokenfuseError(code, failed?.message ?? 'the processor did not start', options)
}

async function release(host: ChildProcess): Promise<void> {
  if (host.exitCode === null && host.signalCode === null && host.connected) {
    const over = Promise.race([
      once(host, 'exit'),
      once(host, 'message'),
      once(host, 'error'),
      timeout(END_TIMEOUT_MS),
    ])
    host.send({ type: 'release' } satisfies ToHost)
    await over
  }
  letGo(host)
}

/** What is left of it no longer keeps this process alive. */
function letGo(host: ChildProcess): void {
  if (host.connected) host.disconnect()
  host.stderr?.destroy()
  host.unref()
}

function timeout(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref())
}
