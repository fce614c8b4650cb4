import type { RefusalCause } from './credit/ask.ts'
import type { Refusal } from './guard.ts'

const REASONS: Readonly<Record<RefusalCause, string>> = {
  exhausted: 'what is left of the budget does not suffice for this call',
  uncappable: 'the budget refuses calls whose cost the provider cannot bound',
  waited: 'no credit came free in time',
  no_answer: 'the governor did not answer in time',
  stale: 'the governor cannot be reached and the budget does not let calls go on without it',
  too_many_waiting: 'too many calls of this process wait for credit',
}

/** A call that the guard itself refuses, for want of credit. */
export function refusalFor(why: RefusalCause, budget: string | null, id: string): Refusal {
  return { action: 'block', reason: REASONS[why], decisionId: id, budget, retryAfterMs: null }
}
