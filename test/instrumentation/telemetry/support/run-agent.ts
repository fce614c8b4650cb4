import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import type { AgentTask } from './agent.ts'

export type AgentEnd = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What it said, merged. */
  readonly said: Readonly<Record<string, unknown>>
  readonly stderr: string
}

export type Agent = {
  /** Resolves when all calls were recorded. */
  readonly recorded: Promise<void>
  kill(signal: NodeJS.Signals): void
  readonly ended: Promise<AgentEnd>
}

/** Starts an agent process that reports to `url` and spools to `spool`. */
export function startAgent(
  t: TestContext,
  task: AgentTask,
  { url, spool, token = 'secret' }: { url: string; spool: string; token?: string },
): Agent {
  const file = join(import.meta.dirname, 'agent.ts')
  const args = ['-C', 'tokenfuse-source', file, JSON.stringify(task)]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...cleanEnvironment(),
      TOKENFUSE_URL: url,
      TOKENFUSE_TOKEN: token,
      TOKENFUSE_SPOOL_DIR: spool,
    },
  })
  t.after(() => child.kill('SIGKILL'))
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const lines = createInterface({ input: child.stdout })
  const said: Record<string, unknown> = {}
  lines.on('line', (line) => Object.assign(said, JSON.parse(line) as object))
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    said,
    stderr,
  }))
  return {
    recorded: once(lines, 'line').then(() => {}),
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

/** The environment without settings of ours or of OpenTelemetry. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const own = /^(TOKENFUSE|OTEL)_/
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.test(name)))
}
