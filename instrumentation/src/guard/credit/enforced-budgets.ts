import {
  type Budget,
  type BudgetUnit,
  type DimensionValues,
  matchesScope,
  scopeKey,
} from '@tokenfuse/protocol/names'
import { accountKey } from './guard-account.ts'

export type EnforcedBudget = {
  readonly key: string
  readonly budget: Budget
  readonly scope: string
  readonly unit: BudgetUnit
}

/** The budgets of the policy that need credit: those with a limit, unless they only look on. */
export class EnforcedBudgets {
  #budgets: readonly { readonly budget: Budget; readonly unit: BudgetUnit }[] = []

  replace(budgets: readonly Budget[]): void {
    this.#budgets = budgets.flatMap((budget) => {
      const unit = unitOf(budget)
      return unit === null || budget.mode === 'shadow' ? [] : [{ budget, unit }]
    })
  }

  has(id: string): boolean {
    return this.#budgets.some(({ budget }) => budget.id === id)
  }

  /** The budgets that a call counts in. */
  claimedBy(values: DimensionValues): EnforcedBudget[] {
    const claimed: EnforcedBudget[] = []
    for (const { budget, unit } of this.#budgets) {
      if (!matchesScope(budget.match, values)) continue
      const scope = scopeKey(budget.per, values)
      claimed.push({ key: accountKey(budget.id, scope), budget, scope, unit })
    }
    return claimed
  }
}

function unitOf({ limit }: Budget): BudgetUnit | null {
  if (limit === undefined) return null
  if (limit.tokens !== undefined) return 'tokens'
  if (limit.inputTokens !== undefined) return 'inputTokens'
  if (limit.outputTokens !== undefined) return 'outputTokens'
  return limit.usd === undefined ? null : 'picoUsd'
}
