import { spawn } from 'node:child_process'
import { TokenfuseError } from '@tokenfuse/protocol/names'
import { exitCodeOf } from '../ending-signals.ts'

export type ChildEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
/** Those that end a process that does not listen to them, and leave no core file of ours. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL']
/** What a terminal tells to its whole foreground group, this process and the command alike. */
const TOLD_BY_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGHUP']

/**
 * Runs a command with this process's own stdin, stdout and stderr, and passes signals on to it. This process outlives
 * it, whatever comes.
 * @throws TokenfuseError `command_not_found` or `command_not_runnable`
 */
export function runChild(
  [command = '', ...args]: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<ChildEnd> {
  const child = spawn(command, args, { stdio: 'inherit', env: { ...env } })
  const atTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY
  const stopPassing = PASSED_ON.map((signal) => {
    const pass = () => {
      // Twice would be once too often: many programs take a second Ctrl-C for "at once".
      if (!(atTerminal && TOLD_BY_TERMINAL.includes(signal))) child.kill(signal)
    }
    process.on(signal, pass)
    return () => process.off(signal, pass)
  })
  return new Promise<ChildEnd>((resolve, reject) => {
    child.once('error', (error) => reject(spawnFailure(command, error)))
    child.once('exit', (code, signal) => resolve({ code, signal }))
  }).finally(() => {
    // From here on a signal is for this process alone, which has its summary still to tell.
    for (const stop of stopPassing) stop()
  })
}

/** Ends this process as the command ended. */
export function endLike({ code, signal }: ChildEnd): void {
  if (signal === null) {
    process.exitCode = code ?? 1
    return
  }
  // For signals that would not end this process, or not at once.
  process.exitCode = exitCodeOf(signal)
  if (ENDING.includes(signal)) process.kill(process.pid, signal)
}

function spawnFailure(command: string, error: NodeJS.ErrnoException): TokenfuseError {
  if (error.code === 'ENOENT') {
    return new TokenfuseError('command_not_found', `there is no command "${command}"`, {
      fix: 'Check its name, and whether it is in PATH.',
      cause: error,
    })
  }
  return new TokenfuseError(
    'command_not_runnable',
    `"${command}" cannot be run: ${error.message}`,
    {
      fix: 'Check that it is a program and may be executed.',
      cause: error,
    },
  )
}
