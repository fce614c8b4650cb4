import tab from '@bomb.sh/tab/commander'
import { endWithReader } from './output/print.ts'
import { reportError } from './output/report-error.ts'
import { createProgram } from './program.ts'

/**
 * The `tokenfuse` command. Sets the exit code: 0 where all is well, 1 after an error, 2 where it was called wrongly;
 * `run` ends as its command does.
 * @param argv without the runtime and the script
 */
export async function main(argv: readonly string[]): Promise<void> {
  endWithReader()
  const program = createProgram()
  tab(program, { completionCommandName: 'completion' })
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    process.exitCode = reportError(error, { json: wantsJson(argv) })
  }
}

/** Looked up in the text, since the arguments may be what is wrong. Those of a command to run are not ours. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return (end < 0 ? argv : argv.slice(0, end)).includes('--json')
}
