import type { PolicyMessage, StreamMessage } from '@tokenfuse/protocol'
import type { Effect } from '../../governor/effect.ts'
import type { Governor } from '../../governor/governor.ts'

/** What a stream begins with: the policy and every decision in force. */
export function firstMessages(governor: Governor): StreamMessage[] {
  return [policyMessage(governor), { type: 'decisions', decisions: governor.decisions() }]
}

/** What guards are to hear of an effect, and which of them; `guard` null is all. */
export function messageOf(
  effect: Effect,
  governor: Governor,
): { readonly message: StreamMessage; readonly guard: string | null } | null {
  switch (effect.type) {
    case 'policy':
      return { message: policyMessage(governor), guard: null }
    case 'decision':
      return { message: { type: 'decision', decision: effect.decision }, guard: null }
    case 'credit':
      return {
        message: { type: 'credit', offset: effect.offset, accounts: effect.accounts },
        guard: effect.guard,
      }
    case 'recall':
      return { message: { type: 'recall', accounts: effect.accounts }, guard: effect.guard }
    default:
      return null
  }
}

/** A budget that is inactive is none to a guard. */
function policyMessage(governor: Governor): PolicyMessage {
  const inactive = new Set(governor.inactiveBudgets().map(({ budget }) => budget))
  const { version, policy } = governor.policy() ?? { version: 0, policy: { budgets: [] } }
  const budgets = policy.budgets.filter(({ id }) => !inactive.has(id))
  return { type: 'policy', version, budgets }
}
