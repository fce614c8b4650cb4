import type { BudgetStatus } from '@tokenfuse/protocol'
import { formatAmount } from '../output/amount.ts'
import type { Style } from '../output/style.ts'
import { showName, wrapped } from '../output/text.ts'

const WIDTH = 78
const MAX_COUNTERS = 10

/** What of each budget is neither spent nor free: lent to guards, held, or charged without having been seen. */
export function creditLines(budgets: readonly BudgetStatus[], style: Style): string[] {
  return budgets
    .filter(({ outstanding, held, unconfirmed }) => [outstanding, held, unconfirmed].some(isSome))
    .slice(0, MAX_COUNTERS)
    .flatMap((status) => linesOf(status, style))
}

function linesOf(status: BudgetStatus, style: Style): string[] {
  const { budget, scope, unit, outstanding, held, unconfirmed } = status
  const where = scope === '*' ? '' : ` for ${showName(scope, 48)}`
  const credit = [
    `${formatAmount(outstanding, unit)} lent out`,
    `${formatAmount(held, unit)} held`,
    `${formatAmount(unconfirmed, unit)} unconfirmed`,
  ]
  return [
    style('dim', `${showName(budget, 24)}${where}`),
    ...wrapped(credit.join(', '), WIDTH).map((line) => `  ${line}`),
  ]
}

const isSome = (amount: string) => amount !== '0'
