import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

const READY_MS = 20_000
const STOP_MS = 5_000

/** Runs a TypeScript file of this repository by its sources, with its standard input as its life line. */
export function spawnSource(
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): ChildProcess {
  return spawn(process.execPath, ['-C', 'tokenfuse-source', file, ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment,
  })
}

/**
 * The first line of a child's output, as JSON.
 * @throws {Error} when the child ends first, or says nothing for 20 s
 */
export async function readyLine(child: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
  if (!child.stdout) throw new Error('the child has no standard output to read')
  const lines = createInterface({ input: child.stdout })
  const signal = AbortSignal.timeout(READY_MS)
  const ended = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${String(code)} before it was ready`)
  })
  const [line] = (await Promise.race([once(lines, 'line', { signal }), ended])) as [string]
  lines.close()
  child.stdout.resume()
  return JSON.parse(line) as Readonly<Record<string, unknown>>
}

/** Ends a child in good order, or by force after five seconds. Resolves when it is gone. */
export async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(timer)
}
