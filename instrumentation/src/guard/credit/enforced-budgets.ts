import {
  type Budget,
  type BudgetUnit,
  type DimensionValues,
  matchesScope,
  picoUsdFromUsd,
  scopeKey,
} from '@tokenfuse/protocol/names'
import { accountKey } from './guard-account.ts'

export type EnforcedBudget = {
  readonly key: string
  readonly budget: Budget
  readonly scope: string
  readonly unit: BudgetUnit
  /** As the policy says it, without what overrides add. */
  readonly limit: bigint
}

type BudgetLimit = Pick<EnforcedBudget, 'unit' | 'limit'>

/** The budgets of the policy that need credit: those with a limit, unless they only look on. */
export class EnforcedBudgets {
  #budgets: readonly (BudgetLimit & { readonly budget: Budget })[] = []

  replace(budgets: readonly Budget[]): void {
    this.#budgets = budgets.flatMap((budget) => {
      const limit = limitOf(budget)
      return limit === null || budget.mode === 'shadow' ? [] : [{ budget, ...limit }]
    })
  }

  has(id: string): boolean {
    return this.#budgets.some(({ budget }) => budget.id === id)
  }

  /** The budgets that a call counts in. */
  claimedBy(values: DimensionValues): EnforcedBudget[] {
    const claimed: EnforcedBudget[] = []
    for (const { budget, unit, limit } of this.#budgets) {
      if (!matchesScope(budget.match, values)) continue
      const scope = scopeKey(budget.per, values)
      claimed.push({ key: accountKey(budget.id, scope), budget, scope, unit, limit })
    }
    return claimed
  }
}

function limitOf({ limit }: Budget): BudgetLimit | null {
  if (limit === undefined) return null
  if (limit.usd !== undefined) return { unit: 'picoUsd', limit: picoUsdFromUsd(limit.usd) }
  for (const unit of ['tokens', 'inputTokens', 'outputTokens'] as const) {
    const tokens = limit[unit]
    if (tokens !== undefined) return { unit, limit: BigInt(tokens) }
  }
  return null
}
