import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const POLL_MS = 100
const LOG_LINES_SHOWN = 20

export type ServiceCommand = {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly folder: string
  readonly environment?: Readonly<Record<string, string>>
  /** Its output is added here, and stays. */
  readonly logFile: string
  readonly isReady: () => Promise<boolean>
  readonly readyWithinMs: number
  /** Whether it outlives this process. */
  readonly detached: boolean
}

export type Service = {
  readonly pid: number
  /** SIGTERM by default; resolves when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Services of this process that have not ended; whatever ends it ends them too. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Starts a service and waits until it is ready.
 * @throws {Error} with the end of its log where it ends first or is not ready in time
 */
export async function startService(command: ServiceCommand): Promise<Service> {
  const log = openSync(command.logFile, 'a')
  const child = spawn(command.command, command.args, {
    cwd: command.folder,
    env: { ...process.env, ...command.environment },
    stdio: ['ignore', log, log],
    detached: command.detached,
  })
  closeSync(log)
  let failure: Error | null = null
  child.once('error', (error) => (failure = error))
  if (!command.detached) {
    running.add(child)
    child.once('exit', () => running.delete(child))
  }
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => stopService(child, signal)
  const giveUpMs = Date.now() + command.readyWithinMs
  while (!(await command.isReady())) {
    if (failure !== null || hasEnded(child)) throw notReady(command, failure, 'ended')
    if (Date.now() > giveUpMs) {
      await stop('SIGKILL')
      throw notReady(command, failure, `was not ready within ${command.readyWithinMs / 1000} s`)
    }
    await wait(POLL_MS)
  }
  if (hasEnded(child)) throw notReady(command, failure, 'ended')
  child.unref()
  return { pid: child.pid ?? 0, stop }
}

const STOP_MS = 15_000

async function stopService(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  child.ref()
  const gone = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(timer)
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

function notReady(command: ServiceCommand, cause: Error | null, what: string): Error {
  const end = readFileSync(command.logFile, 'utf8').split('\n').slice(-LOG_LINES_SHOWN).join('\n')
  return new Error(`${command.name} ${what}; the end of ${command.logFile}:\n${end}`, { cause })
}
