import type { UsageAnswer } from '@tokenfuse/protocol'
import { type Dimension, formatUsd } from '@tokenfuse/protocol/names'
import { type Command, Option } from 'commander'
import { printJson, printLines } from '../output/print.ts'
import { type Style, styleFor } from '../output/style.ts'
import { type Column, renderTable } from '../output/table.ts'
import { formatCount, showName } from '../output/text.ts'
import { taskCostLines, taskCostsBy } from '../output/task-cost-table.ts'
import { usageNotes } from '../output/usage-table.ts'
import { connect } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { readPeriod, readPositive, withJsonOption, withProcessorOptions } from './options.ts'

const RANKED = ['agent', 'task', 'taskType', 'user', 'model'] as const
const BAR_WIDTH = 12

type TopOptions = ProcessorOptions & {
  readonly by: (typeof RANKED)[number]
  readonly period: string
  readonly top: number
  readonly json?: boolean
}

export function addTop(program: Command): void {
  const command = program
    .command('top')
    .description('show what costs the most')
    .addOption(new Option('--by <dimension>', 'what to rank').choices(RANKED).default('agent'))
    .option('--period <day>', 'today, all or a day such as 2026-01-31', readPeriod, 'all')
    .option('--top <n>', 'how many', readPositive, 10)
  withJsonOption(withProcessorOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse top
  $ tokenfuse top --by model --period today
  $ tokenfuse top --by user --top 3 --json`,
    )
    .action(showTop)
}

async function showTop({ by, period, top, json, ...where }: TopOptions): Promise<void> {
  const client = connect(where)
  const answer = await client.usage({ by: [by], period, top })
  // Of what ended tasks cost no days are kept.
  const tasksBy = period === 'all' ? taskCostsBy([by]) : null
  const tasks = tasksBy === null ? null : await client.taskCosts(tasksBy, top)
  if (json) printJson(tasks === null ? answer : { ...answer, taskCosts: tasks.rows })
  else {
    const style = styleFor(process.stdout)
    const ended = tasksBy && tasks ? taskCostLines(tasksBy, tasks.rows, style) : []
    printLines([...topLines(by, answer, style), ...ended])
  }
}

function topLines(by: Dimension, { rows, total }: UsageAnswer, style: Style): string[] {
  if (rows.length === 0) return ['No calls yet.']
  const columns: Column[] = [
    { title: by, align: 'left' },
    { title: 'cost', align: 'right' },
    { title: 'share', align: 'right' },
    { title: '', align: 'left' },
    { title: 'calls', align: 'right' },
    { title: 'tokens', align: 'right' },
  ]
  const lines = rows.map((row) => {
    const share = ratio(row.costPicoUsd, total.costPicoUsd)
    return [
      showName(row.values[by] ?? ''),
      formatUsd(BigInt(row.costPicoUsd)),
      `${Math.round(share * 100)}%`,
      style('cyan', '\u2588'.repeat(Math.round(share * BAR_WIDTH))),
      formatCount(row.calls),
      formatCount(row.totalTokens),
    ]
  })
  const notes = usageNotes(total)
  return [renderTable(columns, lines, style), ...notes.map((note) => style('dim', note))]
}

/** Of two amounts; 0 where there is no whole. */
function ratio(part: string, whole: string): number {
  return whole === '0' ? 0 : Number((BigInt(part) * 10_000n) / BigInt(whole)) / 10_000
}
