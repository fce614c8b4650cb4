import { debuglog } from 'node:util'
import { TokenfuseError } from '@tokenfuse/protocol/names'
import { CommanderError } from 'commander'
import { styleFor } from './style.ts'

export const EXIT_OK = 0
export const EXIT_ERROR = 1
export const EXIT_USAGE = 2

/** As shells have it. */
const EXIT_BY_CODE: ReadonlyMap<string, number> = new Map([
  ['command_not_runnable', 126],
  ['command_not_found', 127],
])

/** With `NODE_DEBUG=tokenfuse` the stack of an error is printed, too. */
const debug = debuglog('tokenfuse')

type ShownError = {
  readonly code: string
  readonly message: string
  readonly fix: string | null
}

/**
 * Tells an error on stderr, as text or as one JSON object `{"error":{"code","message","fix"}}`.
 * @returns the exit code that goes with it
 */
export function reportError(error: unknown, { json }: { readonly json: boolean }): number {
  if (error instanceof CommanderError && error.exitCode === EXIT_OK) return EXIT_OK
  if (error instanceof CommanderError && error.code === 'commander.help') return EXIT_USAGE
  const shown = shownError(error)
  debug('%s', error instanceof Error ? error.stack : error)
  process.stderr.write(json ? `${JSON.stringify({ error: shown })}\n` : errorText(shown))
  if (error instanceof CommanderError) return EXIT_USAGE
  return EXIT_BY_CODE.get(shown.code) ?? EXIT_ERROR
}

function shownError(error: unknown): ShownError {
  if (TokenfuseError.isInstance(error)) {
    return { code: error.code, message: error.message, fix: error.fix }
  }
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, '')
    return { code: 'usage', message, fix: 'Add --help to see what the command takes.' }
  }
  const message = error instanceof Error ? error.message : String(error)
  const fix = 'This is a fault in tokenfuse. NODE_DEBUG=tokenfuse shows where it happened.'
  return { code: 'internal', message, fix }
}

function errorText({ message, fix }: ShownError): string {
  const style = styleFor(process.stderr)
  const lines = [`${style('red', 'error:')} ${indented(message)}`]
  if (fix !== null) lines.push(`${style('bold', 'fix:')}   ${indented(fix)}`)
  return `${lines.join('\n')}\n`
}

const indented = (text: string) => text.replaceAll('\n', '\n       ')
