import {
  type Budget,
  EMPTY_POLICY,
  isRunBudget,
  MAX_BUDGETS,
  type Policy,
  TokenfuseError,
} from '@tokenfuse/protocol'

// Budgets of single runs are in force beside those of the policy file, and in no file: whoever starts a run has its
// budget taken away again when it is over.

/** What the file says, with the run budgets that are in force. */
export function withRunBudgetsOf(inForce: Policy | undefined, policy: Policy): Policy {
  const ofRuns = inForce?.budgets.filter(({ id }) => isRunBudget(id)) ?? []
  return ofRuns.length === 0 ? policy : { ...policy, budgets: [...policy.budgets, ...ofRuns] }
}

/** What a policy would be without budgets of runs. */
export function withoutRunBudgets(policy: Policy): Policy {
  return { ...policy, budgets: policy.budgets.filter(({ id }) => !isRunBudget(id)) }
}

/**
 * The policy with one run budget put or replaced; with `null` taken away.
 * @throws TokenfuseError `not_found` for one to take away that is not there, `bad_request` where there are too many
 */
export function withRunBudget(
  inForce: Policy | undefined,
  id: string,
  budget: Budget | null,
): Policy {
  const policy = inForce ?? EMPTY_POLICY
  const others = policy.budgets.filter((other) => other.id !== id)
  if (budget === null) {
    if (others.length < policy.budgets.length) return { ...policy, budgets: others }
    throw new TokenfuseError('not_found', `there is no budget "${id}" of a run`)
  }
  if (others.length >= MAX_BUDGETS) {
    throw new TokenfuseError('bad_request', `there are ${MAX_BUDGETS} budgets already`, {
      fix: 'Remove some: "tokenfuse budget list" shows those of runs that were killed, too.',
    })
  }
  return { ...policy, budgets: [...others, budget] }
}
