import type { SuggestedBudget, Suggestion } from '@tokenfuse/processor'
import { formatUsd } from '@tokenfuse/protocol/names'
import type { Style } from '../output/style.ts'
import { type Column, renderTable } from '../output/table.ts'
import { formatCount, plural, wrapped } from '../output/text.ts'

const WIDTH = 80
const COLUMNS: readonly Column[] = [
  { title: 'for', align: 'left', shrinks: true },
  { title: 'limit', align: 'right' },
  { title: 'usual', align: 'right' },
  { title: 'highest', align: 'right' },
  { title: 'from', align: 'right' },
  { title: 'refused', align: 'right' },
  { title: 'avoided', align: 'right' },
]

/** Limits that are proposed, what they would have caught, and how to write them. */
export function suggestionLines(suggestion: Suggestion, style: Style): string[] {
  const { budgets, missing } = suggestion
  const notes = missing.flatMap((note) => wrapped(note, WIDTH).map((line) => style('dim', line)))
  if (budgets.length === 0) return ['No limit can be proposed yet.', ...notes]
  return [
    renderTable(
      COLUMNS,
      budgets.map((budget) => row(budget, suggestion)),
      style,
    ),
    ...wrapped(catchText(suggestion), WIDTH),
    ...notes,
    '',
    style('dim', '# In tokenfuse.yaml:'),
    'budgets:',
    ...budgets.map(yamlLine),
  ]
}

function row(suggested: SuggestedBudget, { backtest }: Suggestion): string[] {
  const { budget, samples, usualPicoUsd, highestPicoUsd } = suggested
  const source = backtest.policies[0]?.sources.find(({ name }) => name === budget.id)
  const isTask = budget.window === 'lifetime'
  return [
    subjectOf(suggested),
    `$${String(budget.limit?.usd)}`,
    formatUsd(BigInt(usualPicoUsd)),
    formatUsd(BigInt(highestPicoUsd)),
    plural(samples, isTask ? 'task' : 'day'),
    formatCount(source?.refused.calls ?? 0),
    formatUsd(BigInt(source?.refused.costPicoUsd ?? 0)),
  ]
}

function subjectOf({ budget }: SuggestedBudget): string {
  if (budget.window === 'lifetime') return 'each task'
  const agent = budget.match?.agent
  return typeof agent === 'string' ? `${agent}, a day` : 'everything, a day'
}

function catchText({ backtest }: Suggestion): string {
  const [result] = backtest.policies
  if (!result) return ''
  const { avoided, tasks } = result
  const completed = tasks.completedAsTold + tasks.completedAsItLooks
  const cost = formatUsd(BigInt(avoided.costPicoUsd))
  const all = formatUsd(BigInt(backtest.recorded.costPicoUsd))
  return (
    `Together they would have refused ${plural(avoided.calls, 'call')} and avoided ${cost} of ${all}, ` +
    `and hit ${plural(tasks.hit, 'task')}, of which ${formatCount(completed)} were completed.`
  )
}

function yamlLine({ budget }: SuggestedBudget): string {
  const { id, per, match, window, limit } = budget
  const fields = [
    `id: ${id}`,
    ...(typeof match?.agent === 'string'
      ? [`match: { agent: ${JSON.stringify(match.agent)} }`]
      : []),
    ...(per && per.length > 0 ? [`per: [${per.join(', ')}]`] : []),
    `window: ${String(window)}`,
    `limit: { usd: ${String(limit?.usd)} }`,
  ]
  return `  - { ${fields.join(', ')} }`
}
