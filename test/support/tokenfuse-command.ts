import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const root = join(import.meta.dirname, '../..')

export const COMMAND = join(root, 'cli/bin/tokenfuse.js')

/** The command is started many times over, and most of a start is compiling. */
const COMPILE_CACHE = join(root, 'node_modules/.cache/tokenfuse-test')

export type CommandOptions = {
  readonly folder?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string | Uint8Array
}

export type CommandEnd = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** What would lead the command elsewhere than the test wants. */
const FOREIGN = /^(TOKENFUSE_|OTEL_|NODE_OPTIONS$|NO_COLOR$|FORCE_COLOR$)/

/** Starts the `tokenfuse` command by its sources. */
export function startTokenfuse(
  args: readonly string[],
  { folder, env = {}, input }: CommandOptions = {},
): { readonly child: ChildProcess; readonly ended: Promise<CommandEnd> } {
  const clean = Object.entries(process.env).filter(([name]) => !FOREIGN.test(name))
  const child = spawn(process.execPath, ['-C', 'tokenfuse-source', COMMAND, ...args], {
    stdio: 'pipe',
    env: { ...Object.fromEntries(clean), NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
    ...(folder === undefined ? {} : { cwd: folder }),
  })
  // A command that does not read its input may be gone before it is written.
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const output = Promise.all([text(child.stdout), text(child.stderr)])
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      output.then(([stdout, stderr]) => resolve({ code, signal, stdout, stderr }), reject)
    })
  })
  return { child, ended }
}

/** Runs the `tokenfuse` command to its end. */
export function tokenfuse(
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandEnd> {
  return startTokenfuse(args, options).ended
}
