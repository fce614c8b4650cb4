import type { Amounts, SuggestedBudget, Suggestion } from '@tokenfuse/processor'
import { formatUsd } from '@tokenfuse/protocol/names'
import { formatAmount } from '../output/amount.ts'
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
  const { budgets, missing, timezone } = suggestion
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
    style(
      'dim',
      timezone === 'UTC'
        ? '# In tokenfuse.yaml:'
        : `# In tokenfuse.yaml, with timezone: ${timezone}`,
    ),
    'budgets:',
    ...budgets.map(yamlLine),
  ]
}

function row(suggested: SuggestedBudget, { backtest, unit }: Suggestion): string[] {
  const { budget, samples, usual, highest } = suggested
  const source = backtest.policies[0]?.sources.find(({ name }) => name === budget.id)
  const isTask = budget.window === 'lifetime'
  return [
    subjectOf(suggested),
    limitText(budget.limit),
    formatAmount(usual, unit),
    formatAmount(highest, unit),
    plural(samples, isTask ? 'task' : 'day'),
    formatCount(source?.refused.calls ?? 0),
    formatAmount(String(avoidedOf(source?.refused, unit)), unit),
  ]
}

function avoidedOf(refused: Amounts | undefined, unit: Suggestion['unit']): string | number {
  return (unit === 'picoUsd' ? refused?.costPicoUsd : refused?.tokens) ?? 0
}

/** Limits in USD are told to the last digit, as they are to be written. */
function limitText(limit: SuggestedBudget['budget']['limit']): string {
  return limit?.usd === undefined
    ? formatAmount(String(limit?.tokens), 'tokens')
    : `$${String(limit.usd)}`
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
    ...(match === undefined ? [] : [`match: { ${matchText(match)} }`]),
    ...(per && per.length > 0 ? [`per: [${per.join(', ')}]`] : []),
    `window: ${String(window)}`,
    `limit: { ${limit?.usd === undefined ? `tokens: ${limit?.tokens}` : `usd: ${String(limit.usd)}`} }`,
  ]
  return `  - { ${fields.join(', ')} }`
}

function matchText(match: NonNullable<SuggestedBudget['budget']['match']>): string {
  return Object.entries(match)
    .map(([dimension, globs]) => `${dimension}: ${JSON.stringify(globs)}`)
    .join(', ')
}
