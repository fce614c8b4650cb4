import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const READY_MS = 60_000
const STOP_MS = 5_000

/** Children that were started here and have not ended; whatever ends this process ends them too. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export type SourceOptions = {
  readonly nodeArgs?: readonly string[]
  readonly environment?: NodeJS.ProcessEnv
  /** Where the child runs. Default: here. */
  readonly folder?: string
}

/** Runs a TypeScript file with this Node, with its standard input as its life line. */
export function spawnNode(
  file: string,
  args: readonly string[],
  { nodeArgs = [], environment = process.env, folder }: SourceOptions = {},
): ChildProcess {
  const child = spawn(process.execPath, [...nodeArgs, file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment,
    cwd: folder,
  })
  // A child that is killed while it is written to is no error of this process.
  child.stdin.on('error', () => {})
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/** As `spawnNode`, with the packages of this repository taken from their sources. */
export function spawnSource(
  file: string,
  args: readonly string[],
  options: Omit<SourceOptions, 'nodeArgs'> = {},
): ChildProcess {
  return spawnNode(file, args, { nodeArgs: ['-C', 'tokenfuse-source'], ...options })
}

/**
 * The first line of a child's output, as JSON.
 * @throws {Error} when the child ends first, or says nothing for so long
 */
export async function readyLine(
  child: ChildProcess,
  withinMs = READY_MS,
): Promise<Readonly<Record<string, unknown>>> {
  if (!child.stdout) throw new Error('the child has no standard output to read')
  const lines = createInterface({ input: child.stdout })
  const signal = AbortSignal.timeout(withinMs)
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${String(code)} before it was ready`)
  })
  const [line] = (await Promise.race([once(lines, 'line', { signal }), ended])) as [string]
  lines.close()
  child.stdout.resume()
  return JSON.parse(line) as Readonly<Record<string, unknown>>
}

/** Sends a signal and resolves when the child is gone; by force after five seconds. */
export async function stopChild(
  child: ChildProcess,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(timer)
}
