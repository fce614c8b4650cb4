import {
  type Budget,
  budgetLimit,
  type BudgetUnit,
  countsAnother,
  type DimensionValues,
  lineage,
  matchesScope,
  rollingMs,
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

/** The budgets of the policy that need credit: those with a limit, unless they only look on. */
export class EnforcedBudgets {
  #budgets: readonly Pick<EnforcedBudget, 'budget' | 'unit' | 'limit'>[] = []

  /** Of the call that was asked about last: it is asked about again while it is decided. */
  #last: { readonly values: DimensionValues; readonly claimed: readonly EnforcedBudget[] } | null =
    null

  /** @returns those that count another thing from now on */
  replace(budgets: readonly Budget[]): ReadonlySet<string> {
    const before = new Map(this.#budgets.map(({ budget }) => [budget.id, budget]))
    const isAnother = (budget: Budget) => {
      const old = before.get(budget.id)
      return old !== undefined && countsAnother(old, budget)
    }
    this.#last = null
    this.#budgets = budgets.flatMap((budget) => {
      const limit = budgetLimit(budget)
      if (limit === null || budget.mode === 'shadow') return []
      return [{ budget, unit: limit.unit, limit: limit.amount }]
    })
    return new Set(budgets.filter(isAnother).map(({ id }) => id))
  }

  has(id: string): boolean {
    return this.#budgets.some(({ budget }) => budget.id === id)
  }

  isRolling(id: string): boolean {
    const found = this.#budgets.find(({ budget }) => budget.id === id)
    return found !== undefined && rollingMs(found.budget.window) !== null
  }

  /** The budgets that a call counts in. */
  claimedBy(values: DimensionValues): readonly EnforcedBudget[] {
    if (this.#last?.values === values) return this.#last.claimed
    const claimed: EnforcedBudget[] = []
    for (const { budget, unit, limit } of this.#budgets) {
      const scopes = new Set<string>()
      for (const each of budget.nested ? lineage(values) : [values]) {
        if (matchesScope(budget.match, each)) scopes.add(scopeKey(budget.per, each))
      }
      for (const scope of scopes) {
        claimed.push({ key: accountKey(budget.id, scope), budget, scope, unit, limit })
      }
    }
    this.#last = { values, claimed }
    return claimed
  }
}
