import type { BudgetUnit } from '../decision.ts'
import { picoUsdFromUsd } from '../money.ts'
import type { Budget } from './schema.ts'

/** Limits that are written as plain counts; `usd` is the only other. */
export const COUNTED_UNITS = ['tokens', 'inputTokens', 'outputTokens', 'calls', 'steps'] as const

/** A budget's limit in the unit that it counts in. */
export type BudgetLimit = { readonly unit: BudgetUnit; readonly amount: bigint }

/** `null` where the budget has no limit and does nothing. */
export function budgetLimit({ limit }: Pick<Budget, 'limit'>): BudgetLimit | null {
  if (limit === undefined) return null
  if (limit.usd !== undefined) return { unit: 'picoUsd', amount: picoUsdFromUsd(limit.usd) }
  for (const unit of COUNTED_UNITS) {
    const amount = limit[unit]
    if (amount !== undefined) return { unit, amount: BigInt(amount) }
  }
  return null
}
