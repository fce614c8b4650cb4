import type {
  BudgetStatus,
  Decision,
  UsageAnswer,
  UsageRow,
  UsageTotals,
} from '@tokenfuse/protocol'
import { formatUsd } from '@tokenfuse/protocol/names'
import { formatAmount, formatAmountUnit } from '../output/amount.ts'
import type { Style } from '../output/style.ts'
import { formatDuration, plural, showName } from '../output/text.ts'
import { usageNotes, usageTable } from '../output/usage-table.ts'
import { usedShare } from '../output/used-share.ts'

const MAX_REASONS = 3
const MAX_AGENTS = 20
const MAX_SCOPES = 5

/** What one run used, and what became of its reports. */
export type RunReport = {
  readonly run: string
  readonly durationMs: number
  readonly agents: readonly UsageRow[]
  readonly total: UsageTotals
  /** How full the budgets of this run are, the fullest scopes first. */
  readonly budgets: readonly BudgetStatus[]
  /** Decisions in force that refuse calls. */
  readonly refusals: readonly Decision[]
  /** Spans that were given up and are not counted. */
  readonly droppedSpans: number
  /** Spans that wait in the spool for the next run. */
  readonly waitingFiles: number
}

/** What a later answer has more than an earlier one of the same question. */
export function usageSince(before: UsageAnswer, after: UsageAnswer): UsageAnswer {
  const key = (row: UsageRow) => JSON.stringify(after.by.map((dimension) => row.values[dimension]))
  const earlier = new Map(before.rows.map((row) => [key(row), row]))
  const rows = after.rows.map((row) => {
    const old = earlier.get(key(row))
    return old ? { ...subtract(row, old), values: row.values } : row
  })
  return { ...after, rows, total: subtract(after.total, before.total) }
}

function subtract(after: UsageTotals, before: UsageTotals): UsageTotals {
  const minus = (name: keyof UsageTotals) => {
    const [a, b] = [after[name], before[name]]
    if (typeof a === 'number') return a - Number(b)
    return String(BigInt(a) - BigInt(b))
  }
  const names = Object.keys(before).filter((name) => name !== 'values') as (keyof UsageTotals)[]
  return Object.fromEntries(names.map((name) => [name, minus(name)])) as UsageTotals
}

/** A few lines for people. */
export function summaryLines(report: RunReport, style: Style): string[] {
  const { agents, total, durationMs, budgets, refusals, droppedSpans, waitingFiles } = report
  const warn = (text: string) => style('yellow', `  ${text}`)
  const lines: string[] = []
  if (total.calls + total.refusedCalls === 0) {
    lines.push(
      `${style('bold', 'tokenfuse')}  no model calls seen in ${formatDuration(durationMs)}`,
    )
  } else {
    const sums = [
      plural(total.calls, 'call'),
      formatUsd(BigInt(total.costPicoUsd)),
      formatDuration(durationMs),
    ]
    lines.push(`${style('bold', 'tokenfuse')}  ${sums.join(' \u00b7 ')}`)
    const shown = agents.slice(0, MAX_AGENTS)
    lines.push(...indented(usageTable(['agent'], shown, total, style)))
    if (agents.length > shown.length) {
      lines.push(style('dim', `  and ${plural(agents.length - shown.length, 'more agent')}`))
    }
    lines.push(...usageNotes(total).map((note) => style('dim', `  ${note}`)))
  }
  lines.push(...budgetLines(budgets, style).map((line) => `  ${line}`))
  if (total.refusedCalls > 0) {
    lines.push(...refusals.slice(0, MAX_REASONS).map(({ reason }) => warn(showName(reason, 76))))
  }
  if (droppedSpans > 0) {
    lines.push(
      warn(
        `${plural(droppedSpans, 'call')} could not be reported and ${droppedSpans === 1 ? 'is' : 'are'} not counted`,
      ),
    )
  }
  if (waitingFiles > 0) {
    lines.push(warn('some reports could not be sent; the next run sends them'))
  }
  return lines
}

/** `budget  $4.98 of $5.00 (99%)`, with the scope where a budget has several. */
function budgetLines(budgets: readonly BudgetStatus[], style: Style): string[] {
  const lines = budgets.slice(0, MAX_SCOPES).map(({ scope, spent, limit, unit, usedRatio }) => {
    const where = scope === '*' ? '' : `  ${showName(scope, 32)}`
    const amounts = `${formatAmount(spent, unit)} of ${formatAmountUnit(limit, unit)}`
    return `${style('dim', 'budget')}  ${amounts} (${usedShare(usedRatio, style)})${where}`
  })
  const more = budgets.length - lines.length
  return more > 0 ? [...lines, style('dim', `and ${plural(more, 'more scope')}`)] : lines
}

const indented = (text: string) => text.split('\n').map((line) => `  ${line}`)
