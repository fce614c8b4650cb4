import type { BudgetStatus } from '@tokenfuse/protocol'
import { formatAmount } from '../output/amount.ts'
import { scopeText } from '../output/scope.ts'
import type { Style } from '../output/style.ts'
import { type Column, renderTable } from '../output/table.ts'
import { formatCount, showName } from '../output/text.ts'
import { usedShare } from '../output/used-share.ts'

const MAX_COUNTERS = 20

const COLUMNS: readonly Column[] = [
  { title: 'budget', align: 'left' },
  { title: 'for', align: 'left', shrinks: true },
  { title: 'window', align: 'left' },
  { title: 'spent', align: 'right' },
  { title: 'limit', align: 'right' },
  { title: 'used', align: 'right' },
]

/**
 * How full budgets are, the fullest first.
 * @param counters how many there are in all
 */
export function budgetTable(
  budgets: readonly BudgetStatus[],
  counters: number,
  style: Style,
): string[] {
  const rows = budgets
    .slice(0, MAX_COUNTERS)
    .map(({ budget, scope, mode, window, spent, limit, unit, usedRatio }) => [
      mode === 'hard' ? showName(budget, 16) : `${showName(budget, 16)} (${mode})`,
      scopeText(scope),
      window,
      formatAmount(spent, unit),
      formatAmount(limit, unit),
      usedShare(usedRatio, style),
    ])
  const table = renderTable(COLUMNS, rows, style)
  const more = counters - rows.length
  return more > 0 ? [table, style('dim', `and ${formatCount(more)} more, less full`)] : [table]
}
