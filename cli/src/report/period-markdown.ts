import type { UsageRow } from '@tokenfuse/protocol'
import { type Dimension, formatUsd } from '@tokenfuse/protocol/names'
import { formatAmount, formatAmountUnit } from '../output/amount.ts'
import { decisionHead } from '../output/decision-head.ts'
import { formatCount, plural } from '../output/text.ts'
import { markdownTable, markdownText, section } from './markdown.ts'
import type { PeriodReport } from './period-report.ts'

const MAX_FORECASTS = 20
const MAX_ALERTS = 20

/** A report of some days, in Markdown. */
export function periodMarkdown(report: PeriodReport): string[] {
  const { from, until, agents, models, tasks, users } = report
  const days = from === until ? from : `${from} to ${until}`
  return [
    `# tokenfuse report, ${days}`,
    '',
    totalText(report),
    ...section('Agents', usageTable(['agent'], agents)),
    ...section('Models', usageTable(['model'], models)),
    ...section('Tasks', usageTable(['agent', 'task'], tasks)),
    ...section('Users', usageTable(['user'], users)),
    ...section('Budgets now', budgetTable(report)),
    ...section('Forecasts', forecastTable(report)),
    ...section('Detected', detectionLines(report)),
    ...section('In force', decisionLines(report)),
    ...section('Rules', ruleTable(report)),
  ]
}

function totalText({ total, before }: PeriodReport): string {
  const [now, then] = [BigInt(total.costPicoUsd), BigInt(before.costPicoUsd)]
  const change =
    then === 0n
      ? 'nothing in as many days before'
      : `${percentChange(now, then)} against as many days before (${formatUsd(then)})`
  const refused = total.refusedCalls > 0 ? `, ${formatCount(total.refusedCalls)} refused` : ''
  return `${formatUsd(now)} for ${plural(total.calls, 'call')}${refused}, ${formatCount(total.totalTokens)} tokens; ${change}.`
}

function percentChange(now: bigint, then: bigint): string {
  const percent = Number(((now - then) * 1000n) / then) / 10
  return `${percent >= 0 ? '+' : ''}${percent.toFixed(1)}%`
}

function usageTable(by: readonly Dimension[], rows: readonly UsageRow[]): string[] {
  return markdownTable(
    [by.join(', '), 'calls', 'prompt', 'completion', 'cost'],
    rows.map((row) => [
      by.map((dimension) => markdownText(row.values[dimension] ?? '', 40)).join(', '),
      formatCount(row.calls),
      formatCount(row.inputTokens),
      formatCount(row.outputTokens),
      formatUsd(BigInt(row.costPicoUsd)),
    ]),
  )
}

function budgetTable({ budgets }: PeriodReport): string[] {
  return markdownTable(
    ['budget', 'window', 'spent', 'limit', 'used'],
    budgets.map(({ budget, scope, mode, window, unit, spent, limit, usedRatio }) => [
      `${markdownText(budget)}${scope === '*' ? '' : ` ${markdownText(scope)}`}${mode === 'shadow' ? ' (shadow)' : ''}`,
      markdownText(window),
      formatAmount(spent, unit),
      formatAmountUnit(limit, unit),
      `${Math.round(usedRatio * 100)}%`,
    ]),
  )
}

function forecastTable({ forecasts }: PeriodReport): string[] {
  if (forecasts.length === 0) return []
  return markdownTable(
    ['budget', 'ends at', '80% interval', 'limit', 'breach'],
    forecasts.slice(0, MAX_FORECASTS).flatMap(({ budget, scope, unit, limit, forecast }) => {
      if (forecast === null) return []
      const { endOfWindow, lower, upper, breachProbability } = forecast
      return [
        [
          `${markdownText(budget)}${scope === '*' ? '' : ` ${markdownText(scope)}`}`,
          formatAmountUnit(endOfWindow, unit),
          `${formatAmount(lower, unit)} to ${formatAmount(upper, unit)}`,
          formatAmount(limit, unit),
          `${Math.round(breachProbability * 100)}%`,
        ],
      ]
    }),
  )
}

function detectionLines({ detections }: PeriodReport): string[] {
  const lines = detections
    .slice(0, MAX_ALERTS)
    .map(
      ({ kind, level, scope, from, reason }) =>
        `- ${from} ${kind} (${level}) of ${markdownText(scope, 80)}: ${markdownText(reason, 400)}`,
    )
  const more = detections.length - lines.length
  return more > 0 ? [...lines, `- and ${formatCount(more)} more`] : lines
}

function decisionLines({ decisions }: PeriodReport): string[] {
  const lines = decisions
    .slice(0, MAX_ALERTS)
    .map(
      (decision) =>
        `- ${markdownText(decisionHead(decision), 100)}: ${markdownText(decision.reason, 300)} (${decision.id})`,
    )
  const more = decisions.length - lines.length
  return more > 0 ? [...lines, `- and ${formatCount(more)} more`] : lines
}

function ruleTable({ rules }: PeriodReport): string[] {
  if (rules.length === 0) return []
  return markdownTable(
    ['rule', 'severity', 'holds for'],
    rules.map(({ name, severity, inactive, holding }) => [
      markdownText(name),
      severity,
      inactive === null ? formatCount(holding) : `inactive: ${markdownText(inactive, 200)}`,
    ]),
  )
}
