import { type BudgetUnit, ceilingRate } from '@tokenfuse/protocol/names'
import type { Ask, AskOutcome } from './ask.ts'
import { amountFor, type CallCost, wantedOutput } from './call-cost.ts'
import type { EnforcedBudget } from './enforced-budgets.ts'
import { type GuardAccount, knownSpent, paceAt } from './guard-account.ts'

/** Before any pace is allowed a call may run this far ahead of it, or no call would ever fit. */
const AHEAD_MS = 5_000
/** How long calls wait to hear from a governor that may just be starting. Once that is over, the next do not. */
const CONTACT_MS = 1_000

export type StaleClaim = EnforcedBudget & {
  /** `null` where the governor was never asked for credit. */
  readonly account: GuardAccount | null
  /** What calls may have cost since the governor could be asked last. */
  readonly graceUsed: bigint
}

export type StaleState = {
  /** When the first call found that the governor cannot be asked. */
  readonly missedSinceMs: number
  /** When credit ran out for want of an answer; `null` where the governor was never reached. */
  readonly staleSinceMs: number | null
  readonly elapsedMs: number
  /** What to do where the governor was never reached and the budget does not say refuse. */
  readonly onStart: 'allow' | 'refuse'
}

/** An admitted call, and what it may cost each budget that does not let it run in any case. */
export type StaleOutcome =
  | Exclude<AskOutcome, { readonly type: 'admit' }>
  | (Extract<AskOutcome, { readonly type: 'admit' }> & {
      readonly graceUses: readonly { readonly key: string; readonly amount: bigint }[]
    })

/**
 * What to do about a call while the governor cannot be reached: each budget says whether to allow, to refuse, or to go
 * on at the last known pace for a grace, never beyond the limit as it was last known.
 */
export function admitStale(
  ask: Pick<Ask, 'deadlineMs'>,
  cost: CallCost,
  claims: readonly StaleClaim[],
  state: StaleState,
): StaleOutcome {
  const graceUses: { key: string; amount: bigint }[] = []
  let cap: number | null = null
  for (const claim of claims) {
    const { budget, key, unit } = claim
    if (budget.stale === 'allow') continue
    const never = isNever(claim, state)
    const contactMs = state.missedSinceMs + CONTACT_MS
    const waitsUntilMs = never || budget.stale === 'refuse' ? contactMs : ask.deadlineMs
    if (never && state.elapsedMs < waitsUntilMs) return { type: 'wait' }
    const output = staleOutput(cost)
    const amount = dearAmount(cost, unit, output)
    if (!isAllowed(claim, amount, state)) {
      if (state.elapsedMs < waitsUntilMs) return { type: 'wait' }
      return { type: 'refuse', budget: budget.id, why: 'stale' }
    }
    graceUses.push({ key, amount })
    if (!never && cost.cappable && output < wantedOutput(cost)) cap = output
  }
  return { type: 'admit', cap, holds: [], basis: 'last_known', graceUses }
}

function isNever({ account }: StaleClaim, { staleSinceMs }: StaleState): boolean {
  return staleSinceMs === null || account === null
}

const staleOutput = (cost: CallCost) =>
  cost.cappable ? Math.min(wantedOutput(cost), cost.p99Output) : cost.p99Output

/** Nothing unknown is free: a model whose price was never told costs the most that any does. */
function dearAmount(cost: CallCost, unit: BudgetUnit, outputTokens: number): bigint {
  return amountFor({ ...cost, rate: cost.rate ?? ceilingRate() }, unit, outputTokens)
}

function isAllowed(
  { budget, account, limit, graceUsed }: StaleClaim,
  amount: bigint,
  { staleSinceMs, elapsedMs, onStart }: StaleState,
): boolean {
  if (budget.stale === 'refuse') return false
  if (staleSinceMs === null || !account) {
    return onStart === 'allow' && elapsedMs < budget.grace && graceUsed + amount <= limit
  }
  const staleMs = elapsedMs - staleSinceMs
  if (staleMs >= budget.grace) return false
  const paced = BigInt(Math.floor(paceAt(account, staleSinceMs) * (staleMs + AHEAD_MS)))
  const left = account.limit - knownSpent(account) - account.reserved - graceUsed
  return graceUsed + amount <= paced && amount <= left
}
