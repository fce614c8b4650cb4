import type { Dimension } from '@tokenfuse/protocol/names'
import type { UsageAnswer } from '@tokenfuse/protocol'
import type { Command } from 'commander'
import { printJson, printLines } from '../output/print.ts'
import { styleFor } from '../output/style.ts'
import { plural } from '../output/text.ts'
import { taskCostLines, taskCostsBy } from '../output/task-cost-table.ts'
import { stepHistory } from '../output/step-history.ts'
import { type MoreColumns, usageNotes, usageTable } from '../output/usage-table.ts'
import { connect, type ProcessorClient } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import {
  readDimensions,
  readPeriod,
  readPositive,
  withJsonOption,
  withProcessorOptions,
} from './options.ts'

const DEFAULT_BY: readonly Dimension[] = ['agent', 'task']

type UsageOptions = ProcessorOptions & {
  readonly by?: readonly Dimension[]
  readonly period: string
  readonly top: number
  readonly json?: boolean
}

export function addUsage(program: Command): void {
  const command = program
    .command('usage')
    .description('show tokens and cost by agent and task, or by what you name')
    .option(
      '--by <dimension>',
      'agent, task, model, step, user, ...; more than once or agent,task',
      readDimensions,
    )
    .option('--period <day>', 'today, all or a day such as 2026-01-31', readPeriod, 'all')
    .option('--top <n>', 'how many rows, the dearest first', readPositive, 50)
  withJsonOption(withProcessorOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse usage
  $ tokenfuse usage --by user --period today
  $ tokenfuse usage --by agent,step --period today   beside what each step used before
  $ tokenfuse usage --by taskType          with what completed tasks cost
  $ tokenfuse usage --by provider,model --json`,
    )
    .action(showUsage)
}

async function showUsage({
  by = DEFAULT_BY,
  period,
  top,
  json,
  ...where
}: UsageOptions): Promise<void> {
  const client = connect(where)
  const answer = await client.usage({ by, period, top })
  const all = period !== 'all' && by.includes('step') ? await wholeHistory(client, by) : null
  // Of what ended tasks cost no days are kept.
  const tasksBy = period === 'all' ? taskCostsBy(by) : null
  const tasks = tasksBy === null ? null : await client.taskCosts(tasksBy, top)
  if (json) printJson(tasks === null ? answer : { ...answer, taskCosts: tasks.rows })
  else {
    const ended =
      tasksBy && tasks ? taskCostLines(tasksBy, tasks.rows, styleFor(process.stdout)) : []
    printLines([...usageLines(answer, all && stepHistory(by, all.rows)), ...ended])
  }
}

/** The same rows over all days, to hold those of one day against. */
function wholeHistory(client: ProcessorClient, by: readonly Dimension[]): Promise<UsageAnswer> {
  return client.usage({ by, period: 'all', top: 10_000 })
}

function usageLines({ by, rows, total, period }: UsageAnswer, more: MoreColumns | null): string[] {
  const style = styleFor(process.stdout)
  if (rows.length === 0)
    return [period === 'all' ? 'No calls yet.' : `No calls on this day (${period}).`]
  const notes = usageNotes(total)
  const shown = rows.reduce((calls, row) => calls + row.calls, 0)
  if (shown < total.calls) {
    notes.push(
      `${plural(total.calls - shown, 'call')} in rows beyond these ${rows.length}: --top shows more`,
    )
  }
  return [usageTable(by, rows, total, style, more), ...notes.map((note) => style('dim', note))]
}
