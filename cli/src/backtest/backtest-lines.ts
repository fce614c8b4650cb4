import type {
  Amounts,
  BacktestResult,
  DecisionLine,
  PolicyResult,
  SourceResult,
} from '@tokenfuse/processor'
import { formatUsd } from '@tokenfuse/protocol/names'
import type { Style } from '../output/style.ts'
import { type Column, renderTable } from '../output/table.ts'
import { formatCount, formatShort, plural, showName, wrapped } from '../output/text.ts'

const WIDTH = 80
const MAX_DECISIONS = 10
const MAX_TASKS = 5
const MAX_BAD = 5

type NamedResult = BacktestResult['policies'][number]

/** A backtest for people: 80 columns wide. */
export function backtestLines(result: BacktestResult, style: Style): string[] {
  return [
    ...fileLines(result, style),
    ...result.policies.flatMap((policy) => ['', ...policyLines(policy, result.recorded, style)]),
    ...comparison(result, style),
  ]
}

function fileLines({ file, recorded }: BacktestResult, style: Style): string[] {
  const { from, until, duplicates, late, refusedThen, badLines, bad, otherEvents } = file
  const span = from === null ? '' : `, from ${from} to ${until}`
  const notes = [
    [duplicates, 'recorded twice'],
    [late, 'too old to be told from duplicates'],
    [refusedThen, 'refused when they were recorded: what they would have used is not known'],
    [otherEvents, 'events of other kinds, left aside'],
  ] as const
  const lines = wrapped(`Recorded: ${amountsText(recorded)}${span}.`, WIDTH)
  for (const [count, what] of notes) {
    if (count > 0) lines.push(style('dim', `${formatCount(count)} ${what}`))
  }
  if (badLines > 0) lines.push(style('yellow', `${plural(badLines, 'line')} could not be read:`))
  for (const { line, reason } of bad.slice(0, MAX_BAD)) {
    lines.push(style('yellow', `  line ${line}: ${showName(reason, 64)}`))
  }
  return lines
}

function policyLines(result: NamedResult, recorded: Amounts, style: Style): string[] {
  const { name, spent, avoided } = result
  return [
    style('bold', `With ${showName(name, 70)}`),
    `  spent    ${amountsText(spent)}`,
    `  avoided  ${amountsText(avoided)} (${shareText(avoided, recorded)} of the cost)`,
    ...sourceTable(result.sources, style),
    ...taskLines(result, style),
    ...forecastLines(result),
    ...decisionLines(result.decisions, result.decisionCount, style),
    ...result.inactive.flatMap((text) =>
      wrapped(`inactive: ${showName(text, 300)}`, WIDTH - 2).map((line) =>
        style('dim', `  ${line}`),
      ),
    ),
  ]
}

const SOURCES: readonly Column[] = [
  { title: '  decided by', align: 'left', shrinks: true },
  { title: 'decisions', align: 'left' },
  { title: 'refused', align: 'right' },
  { title: 'cost avoided', align: 'right' },
]

function sourceTable(sources: readonly SourceResult[], style: Style): string[] {
  if (sources.length === 0) return ['  Nothing would have been changed or refused.']
  const rows = sources.map(({ kind, name, decisions, refused }) => [
    `  ${kind} ${name}`,
    Object.entries(decisions)
      .map(([action, count]) => `${formatCount(count)} ${action}`)
      .join(', '),
    formatShort(refused.calls),
    formatUsd(BigInt(refused.costPicoUsd)),
  ])
  return ['', renderTable(SOURCES, rows, style)]
}

function taskLines({ tasks }: PolicyResult, style: Style): string[] {
  if (tasks.hit === 0) return []
  const completed = tasks.completedAsTold + tasks.completedAsItLooks
  const lines = wrapped(
    `Tasks hit: ${formatCount(tasks.hit)}. Of these ${formatCount(completed)} were completed when they were recorded ` +
      `(${formatCount(tasks.completedAsTold)} as the app said, ${formatCount(tasks.completedAsItLooks)} as it looks), ` +
      `hit by mistake: ${amountsText(tasks.refusedOfCompleted)}.`,
    WIDTH - 2,
  ).map((line) => `  ${line}`)
  for (const task of tasks.dearest.slice(0, MAX_TASKS)) {
    const { agent, task: id, source, refused, isCompleted } = task
    const cost = formatUsd(BigInt(refused.costPicoUsd))
    const mark = isCompleted ? style('yellow', 'completed') : 'not completed'
    lines.push(
      `    ${showName(agent, 20)} ${showName(id, 20)}: ${cost}, by ${showName(source, 20)}, ${mark}`,
    )
  }
  return ['', ...lines]
}

function forecastLines({ forecasts }: PolicyResult): string[] {
  return forecasts.map(({ budget, windows, meanError, coverage }) => {
    const inside = coverage === null ? '' : `, ${percent(coverage)} inside the 80% interval`
    return `  forecasts of ${showName(budget, 30)}: off by ${percent(meanError)} of a mean window over ${windows.toFixed(0)}${inside}`
  })
}

function decisionLines(decisions: readonly DecisionLine[], count: number, style: Style): string[] {
  if (count === 0) return []
  // What stops calls says more of a policy than what warns.
  const isMild = ({ action }: DecisionLine) => action === 'warn' || action === 'allow'
  const chosen = [...decisions].sort((a, b) => Number(isMild(a)) - Number(isMild(b)))
  const shown = chosen.slice(0, MAX_DECISIONS).sort((a, b) => (a.at < b.at ? -1 : 1))
  const lines = shown.flatMap(({ at, action, mode, scope, reason }) => {
    const shadow = mode === 'shadow' ? ' (shadow)' : ''
    const on = scope === '*' ? '' : ` ${showName(scope, 60)}`
    const text = `${at.slice(0, 19)} ${action}${shadow}${on}: ${showName(reason, 300)}`
    return wrapped(text, WIDTH - 2).map((line) => style('dim', `  ${line}`))
  })
  const more = count - Math.min(count, MAX_DECISIONS)
  if (more > 0) lines.push(style('dim', `  and ${plural(more, 'more decision')}`))
  return ['', ...lines]
}

function comparison({ policies: [first, second] }: BacktestResult, style: Style): string[] {
  if (!first || !second) return []
  const [a, b] = [first, second].map(({ avoided }) => BigInt(avoided.costPicoUsd)) as [
    bigint,
    bigint,
  ]
  const mistakes = [first, second].map(
    ({ tasks }) => tasks.completedAsTold + tasks.completedAsItLooks,
  ) as [number, number]
  const more = b - a
  const money =
    more === 0n
      ? 'as much'
      : `${formatUsd(more < 0n ? -more : more)} ${more < 0n ? 'less' : 'more'}`
  const text =
    `${showName(second.name, 40)} would have avoided ${money} ${more === 0n ? 'as' : 'than'} ${showName(first.name, 40)}, ` +
    `and hit ${plural(mistakes[1], 'completed task')} instead of ${formatCount(mistakes[0])}.`
  return ['', ...wrapped(text, WIDTH).map((line) => style('bold', line))]
}

function amountsText({ calls, tokens, costPicoUsd }: Amounts): string {
  return `${plural(calls, 'call')}, ${formatShort(tokens)} tokens, ${formatUsd(BigInt(costPicoUsd))}`
}

function shareText(part: Amounts, whole: Amounts): string {
  const of = BigInt(whole.costPicoUsd)
  return of === 0n ? '0%' : percent(Number((BigInt(part.costPicoUsd) * 10_000n) / of) / 10_000)
}

const percent = (share: number) => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`
