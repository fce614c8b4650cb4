import { type Budget, type BudgetsAnswer, TokenfuseError } from '@tokenfuse/protocol'
import type { ApiContext } from './context.ts'

export function budgetsAnswer({ loop }: Pick<ApiContext, 'loop'>): BudgetsAnswer {
  const { version, policy } = loop.governor.policy() ?? { version: 0, policy: { budgets: [] } }
  return { policyVersion: version, budgets: policy.budgets }
}

/**
 * A budget of the policy in force.
 * @throws TokenfuseError `not_found`
 */
export function budgetOf(context: Pick<ApiContext, 'loop'>, id: string): Budget {
  const budget = budgetsAnswer(context).budgets.find((candidate) => candidate.id === id)
  if (budget) return budget
  throw new TokenfuseError('not_found', `there is no budget "${id}"`, {
    fix: 'See `tokenfuse budget list` for those there are.',
  })
}
