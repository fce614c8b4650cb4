import { type BudgetUnit, formatUsd, type OwnRefusal } from '@tokenfuse/protocol/names'
import type { AccountFigures, FinalOutcome, RefusalCause } from './credit/ask.ts'
import type { Admission } from './guard.ts'

const REASONS: Readonly<Record<RefusalCause, string>> = {
  exhausted: 'what is left of the budget does not suffice for this call',
  scarce: 'what is left of the budget is kept for calls that matter more',
  uncappable: 'the budget refuses calls whose cost the provider cannot bound',
  waited: 'no credit came free in time',
  no_answer: 'the governor did not answer in time',
  stale: 'the governor cannot be reached and the budget does not let calls go on without it',
  no_policy: 'no processor can be reached, no policy is known, and TOKENFUSE_ON_START says refuse',
  too_many_waiting: 'too many calls of this process wait for credit',
}

const UNIT_NAMES: Readonly<Record<Exclude<BudgetUnit, 'picoUsd'>, string>> = {
  tokens: 'tokens',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  calls: 'calls',
  steps: 'steps',
}

/** A call that the guard itself refuses, for want of credit. */
export function refusalFor(
  outcome: FinalOutcome & { readonly type: 'refuse' },
  id: string,
  refusedAtMs: number,
): Admission & { readonly admit: false } {
  const refusal = ownRefusal(outcome)
  const { reason, budget } = refusal
  const action = 'block'
  return {
    admit: false,
    refusedAtMs,
    refusal: { action, reason, decisionId: id, budget, retryAfterMs: null },
    verdict: { action, reserve: null, cap: null, decision: id, refusal },
  }
}

function ownRefusal({
  why,
  budget,
  account,
}: FinalOutcome & { readonly type: 'refuse' }): OwnRefusal {
  const reason = REASONS[why]
  if (!account) {
    return { reason, budget, scope: null, unit: null, limit: null, spent: null, needed: null }
  }
  const { scope, unit } = account
  return {
    reason: why === 'uncappable' ? reason : `${reason}: ${figures(account)}`,
    budget,
    scope,
    unit,
    limit: String(account.limit),
    spent: String(account.spent),
    needed: String(account.needed),
  }
}

function figures({ unit, limit, spent, needed }: AccountFigures): string {
  const amounts =
    unit === 'picoUsd'
      ? `${formatUsd(spent)} of ${formatUsd(limit)} spent`
      : `${grouped(spent)} of ${grouped(limit)} ${UNIT_NAMES[unit]} spent`
  const need = unit === 'picoUsd' ? formatUsd(needed) : grouped(needed)
  const rest = limit - spent >= needed ? ', and what is left is spoken for' : ''
  return `${amounts}, ${need} needed${rest}`
}

const grouped = (amount: bigint) => String(amount).replace(/\B(?=(\d{3})+$)/g, ',')
