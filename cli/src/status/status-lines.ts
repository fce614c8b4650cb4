import type { StatusAnswer, UsageTotals } from '@tokenfuse/protocol'
import { formatUsd } from '@tokenfuse/protocol/names'
import { forecastTable } from '../forecast/forecast-table.ts'
import { decisionHead } from '../output/decision-head.ts'
import type { Style } from '../output/style.ts'
import { type Column, renderTable } from '../output/table.ts'
import { formatShort, plural, showName, wrapped } from '../output/text.ts'
import { usageNotes } from '../output/usage-table.ts'
import { agentTable } from './agent-table.ts'
import { budgetTable } from './budget-table.ts'
import { creditLines } from './credit-lines.ts'

const WIDTH = 80
const MAX_ALERTS = 10
const MAX_FORECASTS = 10

/** All of `tokenfuse status`, for people: 80 columns wide. */
export function statusLines(status: StatusAnswer, url: string, style: Style): string[] {
  const { agents, budgets, counters, total } = status
  return [
    headLine(status, url, style),
    totalsTable(status, style),
    ...usageNotes(total).map((note) => style('dim', note)),
    ...section(agents.length > 0 ? [agentTable(agents, style)] : []),
    ...section(
      budgets.length > 0
        ? budgetTable(budgets, counters, style)
        : [style('dim', 'No budget counts anything yet.')],
    ),
    ...section(forecastTable(status.forecasts.slice(0, MAX_FORECASTS), style)),
    ...section(creditLines(budgets, style)),
    ...section(alertLines(status, style)),
    ...section(problemLines(status, style)),
  ]
}

/** Apart from what stands before it, and nothing where there is nothing. */
const section = (lines: readonly string[]) => (lines.length === 0 ? [] : ['', ...lines])

function headLine({ version, policyVersion, guards }: StatusAnswer, url: string, style: Style) {
  const policy = policyVersion === 0 ? 'no policy' : `policy ${policyVersion}`
  return `${style('bold', `tokenfuse ${version}`)} at ${url}, ${policy}, ${plural(guards, 'guard')}`
}

const TOTALS: readonly Column[] = ['', 'calls', 'prompt', 'completion', 'total', 'cost'].map(
  (title) => ({ title, align: title === '' ? 'left' : 'right' }),
)

function totalsTable({ today, total }: StatusAnswer, style: Style): string {
  const row = (name: string, totals: UsageTotals) => [
    name,
    formatShort(totals.calls),
    formatShort(totals.inputTokens),
    formatShort(totals.outputTokens),
    formatShort(totals.totalTokens),
    formatUsd(BigInt(totals.costPicoUsd)),
  ]
  const rows = [row(`today, ${today.day}`, today.total), row('in all', total)]
  return renderTable(TOTALS, rows, style)
}

/** What is over its threshold. */
function alertLines({ decisions }: StatusAnswer, style: Style): string[] {
  const lines = decisions.slice(0, MAX_ALERTS).flatMap((decision) => {
    const { id, action, reason } = decision
    const text = `${showName(decisionHead(decision), 100)}: ${showName(reason, 400)} [${id}]`
    return wrapped(text, WIDTH).map((line) => style(action === 'warn' ? 'yellow' : 'red', line))
  })
  const more = decisions.length - MAX_ALERTS
  if (more > 0) lines.push(style('dim', `and ${plural(more, 'more decision')} in force`))
  return lines
}

/** Rules that nothing can make hold, by why. */
function inactiveRules({ rules }: StatusAnswer, style: Style): string[] {
  const byReason = new Map<string, string[]>()
  for (const { name, inactive } of rules) {
    if (inactive !== null) byReason.set(inactive, [...(byReason.get(inactive) ?? []), name])
  }
  return [...byReason].flatMap(([reason, names]) => {
    const verb = names.length === 1 ? 'rule is' : 'rules are'
    const text = `${names.map((name) => showName(name)).join(', ')}: ${verb} inactive, ${reason}`
    return wrapped(text, WIDTH).map((line) => style('dim', line))
  })
}

function problemLines(status: StatusAnswer, style: Style): string[] {
  const { inactiveBudgets, policyProblem, deadLetters, droppedSpans, notify } = status
  const lines = inactiveBudgets.map(({ budget, reason }) =>
    style('dim', `${showName(budget)} is inactive: ${reason}`),
  )
  lines.push(...inactiveRules(status, style))
  for (const { name, note } of status.rules) {
    if (note === null) continue
    const text = `${showName(name)}: ${note}`
    lines.push(...wrapped(text, WIDTH).map((line) => style('dim', line)))
  }
  if (policyProblem !== null) {
    lines.push(style('yellow', `The policy file is not in force: ${policyProblem}`))
  }
  if (notify.problem !== null) {
    const text = `People are not told: ${notify.problem}; ${plural(notify.waiting, 'notification')} waiting`
    lines.push(...wrapped(text, WIDTH).map((line) => style('yellow', line)))
  }
  if (deadLetters > 0) {
    const text = `${plural(deadLetters, 'dead letter')}: input that could not be counted`
    lines.push(style('yellow', text))
  }
  if (droppedSpans > 0) {
    const text = `${plural(droppedSpans, 'call')} not counted: agents could not report them`
    lines.push(style('yellow', text))
  }
  return lines
}
