import { budgetLimit } from './limit.ts'
import type { Budget } from './schema.ts'

/** Whether a budget counts another thing than it did: what it has counted, and credit lent on it, are void. */
export function countsAnother(old: Budget, budget: Budget): boolean {
  return (
    budgetLimit(old)?.unit !== budgetLimit(budget)?.unit ||
    old.window !== budget.window ||
    (old.nested ?? false) !== (budget.nested ?? false) ||
    old.per.join() !== budget.per.join()
  )
}
