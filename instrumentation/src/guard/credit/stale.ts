import type { Hold } from './admission.ts'
import type { Ask, AskOutcome } from './ask.ts'
import { amountFor, type CallCost, wantedOutput } from './call-cost.ts'
import type { EnforcedBudget } from './enforced-budgets.ts'
import { type GuardAccount, paceAt } from './guard-account.ts'

/** Before any pace is allowed a call may run this far ahead of it, or no call would ever fit. */
const AHEAD_MS = 5_000
/** How long a call waits to hear from a governor that may just be starting. */
export const CONTACT_MS = 1_000

export type StaleClaim = EnforcedBudget & { readonly account: GuardAccount | null }

export type StaleState = {
  /** When credit ran out for want of an answer; `null` where the governor was never reached. */
  readonly sinceMs: number | null
  readonly elapsedMs: number
  /** What to do where the governor was never reached and the budget does not say refuse. */
  readonly onStart: 'allow' | 'refuse'
}

/**
 * What to do about a call while the governor cannot be reached: each budget says whether to allow, to refuse, or to go
 * on at the last known pace for a grace, never beyond the limit as it was last known.
 */
export function admitStale(
  ask: Pick<Ask, 'askedMs' | 'deadlineMs'>,
  cost: CallCost,
  claims: readonly StaleClaim[],
  state: StaleState,
): AskOutcome {
  const holds: Hold[] = []
  let cap: number | null = null
  for (const claim of claims) {
    const { budget, account } = claim
    if (budget.stale === 'allow') continue
    const never = state.sinceMs === null || !account
    const waitsUntilMs =
      never || budget.stale === 'refuse' ? ask.askedMs + CONTACT_MS : ask.deadlineMs
    if (state.elapsedMs < waitsUntilMs && never) return { type: 'wait' }
    if (isAllowed(claim, cost, state)) {
      if (never) continue
      const output = staleOutput(cost)
      holds.push({ account, amount: amountFor(cost, claim.unit, output) })
      if (cost.cappable && output < wantedOutput(cost)) cap = output
      continue
    }
    if (state.elapsedMs < waitsUntilMs) return { type: 'wait' }
    return { type: 'refuse', budget: budget.id, why: 'stale' }
  }
  for (const { account, amount } of holds) account.graceUsed += amount
  return { type: 'admit', cap, holds: [] }
}

const staleOutput = (cost: CallCost) =>
  cost.cappable ? Math.min(wantedOutput(cost), cost.p99Output) : cost.p99Output

function isAllowed(
  { budget, account, unit }: StaleClaim,
  cost: CallCost,
  { sinceMs, elapsedMs, onStart }: StaleState,
): boolean {
  if (budget.stale === 'refuse') return false
  if (sinceMs === null || !account) return onStart === 'allow' && elapsedMs < budget.grace
  const staleMs = elapsedMs - sinceMs
  if (staleMs >= budget.grace) return false
  const amount = amountFor(cost, unit, staleOutput(cost))
  const paced = BigInt(Math.floor(paceAt(account, sinceMs) * (staleMs + AHEAD_MS)))
  const known = account.spent > account.used ? account.spent : account.used
  const left = account.limit - known - account.reserved - account.graceUsed
  return account.graceUsed + amount <= paced && amount <= left
}
