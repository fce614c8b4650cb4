import type { AskOutcome } from './ask.ts'
import { amountFor, type CallCost, wantedOutput } from './call-cost.ts'
import type { EnforcedBudget } from './enforced-budgets.ts'
import { type GuardAccount, paceAt } from './guard-account.ts'
import type { Hold } from './admission.ts'

/** Before any pace is allowed a call may run this far ahead of it, or no call would ever fit. */
const AHEAD_MS = 5_000

export type StaleClaim = EnforcedBudget & { readonly account: GuardAccount | null }

/**
 * What to do about a call while the governor cannot be reached: each budget says whether to allow, to refuse, or to go
 * on at the last known pace for a grace, never beyond the limit as it was last known.
 * @param staleSinceMs when credit ran out for want of an answer; `null` where the governor was never reached
 */
export function admitStale(
  cost: CallCost,
  claims: readonly StaleClaim[],
  staleSinceMs: number | null,
  elapsedMs: number,
  deadlineMs: number,
): AskOutcome {
  const holds: Hold[] = []
  let cap: number | null = null
  for (const { budget, account, unit } of claims) {
    if (budget.stale === 'allow') continue
    const refusal = { type: 'refuse', budget: budget.id, why: 'stale' } as const
    if (budget.stale === 'refuse') return elapsedMs < deadlineMs ? { type: 'wait' } : refusal
    if (staleSinceMs === null || !account) {
      if (elapsedMs < deadlineMs) return { type: 'wait' }
      return refusal
    }
    const staleMs = elapsedMs - staleSinceMs
    if (staleMs >= budget.grace) return refusal
    const output = cost.cappable ? Math.min(wantedOutput(cost), cost.p99Output) : cost.p99Output
    const amount = amountFor(cost, unit, output)
    const paced = BigInt(Math.floor(paceAt(account, staleSinceMs) * (staleMs + AHEAD_MS)))
    const known = account.spent > account.used ? account.spent : account.used
    const left = account.limit - known - account.reserved - account.graceUsed
    if (account.graceUsed + amount > paced || amount > left) {
      return elapsedMs < deadlineMs ? { type: 'wait' } : refusal
    }
    holds.push({ account, amount })
    if (cost.cappable && output < wantedOutput(cost)) cap = output
  }
  for (const { account, amount } of holds) account.graceUsed += amount
  return { type: 'admit', cap, holds: [] }
}
