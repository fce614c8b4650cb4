import type { Command } from 'commander'
import { tellLines } from '../output/print.ts'
import { styleFor } from '../output/style.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { collect, withProcessorOptions } from './options.ts'

type RunOptions = ProcessorOptions & {
  readonly budget?: readonly string[]
  readonly quiet?: boolean
  readonly json?: boolean
}

export function addRun(program: Command): void {
  const command = program
    .command('run')
    .description('run a command with every model call metered and guarded')
    .usage('[options] [--] <command...>')
    .argument('<command...>', 'what to run, with its arguments')
    // Options after the command are its own.
    .passThroughOptions()
  withProcessorOptions(command)
    .option('--budget <amount>', 'for this run alone: 5usd, 200ktok/task; more than once', collect)
    .option('--quiet', 'print no summary')
    .option('--json', 'print the summary as JSON, on stderr too')
    .addHelpText(
      'after',
      `
Uses the processor of this folder, or starts one for the time of the run. The command
has stdin, stdout and stderr for itself; a summary follows on stderr. The exit code is
that of the command.

Examples:
  $ tokenfuse run -- node agent.js
  $ tokenfuse run npm start
  $ tokenfuse run --budget 5usd --budget 200ktok/task -- node agent.js
  $ TOKENFUSE_AGENT=writer TOKENFUSE_TASK=t-17 tokenfuse run -- node agent.js`,
    )
    .action(run)
}

async function run(
  command: readonly string[],
  { budget = [], quiet = false, json = false, ...where }: RunOptions,
): Promise<void> {
  const { endLike, meteredRun } = await import('../run/metered-run.ts')
  const { end, report, problem } = await meteredRun(command, where, budget)
  if (problem !== null) tellLines([`tokenfuse: ${problem}`])
  if (report !== null && !quiet) {
    const { summaryLines } = await import('../run/summary.ts')
    tellLines(json ? [JSON.stringify(report)] : summaryLines(report, styleFor(process.stderr)))
  }
  // Last of all, since it may end this process by a signal.
  endLike(end)
}
