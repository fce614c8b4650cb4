import type { Budget } from '@tokenfuse/protocol/names'
import {
  amountFor,
  type CallCost,
  dependsOnOutput,
  outputWithin,
  wantedOutput,
} from './call-cost.ts'
import { type GuardAccount, hasTaken, idle, isSpentUp } from './guard-account.ts'

/** A budget that a call counts in, with this guard's account on it. */
export type Claim = { readonly budget: Budget; readonly account: GuardAccount }

/**
 * How far a call has come down: `wanted` as it is, `p99` to the 99th percentile of output while more credit may
 * come, `minimum` to what credit is left.
 */
export type Stage = 'wanted' | 'p99' | 'minimum'

/** Credit that a call takes on one account. */
export type Hold = { readonly account: GuardAccount; readonly amount: bigint }

export type AdmissionOutcome =
  | { readonly type: 'admit'; readonly cap: number | null; readonly holds: readonly Hold[] }
  | { readonly type: 'wait'; readonly stage: Stage; readonly needs: readonly Hold[] }
  | {
      readonly type: 'refuse'
      readonly claim: Claim
      readonly why: 'exhausted' | 'uncappable'
      /** The least with which it could have run. */
      readonly needed: bigint
    }

/**
 * Whether a call may run on the credit at hand, how long its answer may be, or what it waits for. Far from a limit
 * nothing is changed. Source: the credit protocol of the design, section 5.
 * @param callers calls of this guard that share an account: in flight and waiting, this one included
 */
export function admit(
  cost: CallCost,
  claims: readonly Claim[],
  stage: Stage,
  callers: (account: GuardAccount) => number,
  nowMs: number,
): AdmissionOutcome {
  if (!cost.cappable) {
    const strict = claims.find(
      ({ budget }) => budget.mode === 'hard' && budget.uncappable === 'refuse',
    )
    if (strict) {
      const needed = needOf(cost, strict, cost.p99Output)
      return { type: 'refuse', claim: strict, why: 'uncappable', needed }
    }
  }
  for (let at: Stage = stage; ; at = next(at)) {
    const output = outputAt(at, cost, claims, callers)
    const needs = claims.map((claim) => ({ claim, amount: needOf(cost, claim, output) }))
    const short = needs.find(({ claim, amount }) => idle(claim.account) < amount)
    if (!short) return admitted(cost, output, needs, at)
    const spentUp = isSpentUp(short.claim.account, short.amount, nowMs)
    // Where a shorter answer would not help, none is asked for.
    const mayComeDown = at !== 'minimum' && dependsOnOutput(short.claim.account.unit)
    if (spentUp && !mayComeDown) {
      return { type: 'refuse', claim: short.claim, why: 'exhausted', needed: short.amount }
    }
    const comesDown = spentUp || (at === 'wanted' && short.claim.account.state === 'waiting')
    if (mayComeDown && comesDown) continue
    const holds = needs.map(({ claim, amount }) => ({ account: claim.account, amount }))
    return { type: 'wait', stage: at, needs: holds }
  }
}

const next = (stage: Stage): Stage => (stage === 'wanted' ? 'p99' : 'minimum')

function outputAt(
  stage: Stage,
  cost: CallCost,
  claims: readonly Claim[],
  callers: (account: GuardAccount) => number,
): number {
  const wanted = wantedOutput(cost)
  if (!cost.cappable) return Math.min(wanted, cost.p99Output)
  if (stage === 'minimum') return Math.min(wanted, cost.minimumOutput)
  const p99 = Math.min(wanted, Math.max(cost.p99Output, cost.minimumOutput))
  if (stage === 'p99') return p99
  return claims.reduce((output, { budget, account }) => {
    if (budget.mode !== 'hard') return output
    const share = account.fairShare / BigInt(Math.max(1, callers(account)))
    const fits = outputWithin(cost, account.unit, share)
    return fits >= output ? output : Math.max(fits, p99)
  }, wanted)
}

/** A hard budget reserves the worst case, a soft one what is expected. */
function needOf(cost: CallCost, { budget, account }: Claim, output: number): bigint {
  if (account.unit === 'steps' && hasTaken(account, cost.step)) return 0n
  const expected = Math.min(output, cost.p95Output)
  return amountFor(
    cost,
    account.unit,
    budget.mode === 'hard' && Number.isFinite(output) ? output : expected,
  )
}

function admitted(
  cost: CallCost,
  output: number,
  needs: readonly { readonly claim: Claim; readonly amount: bigint }[],
  stage: Stage,
): AdmissionOutcome {
  const wanted = wantedOutput(cost)
  const capped =
    stage === 'minimum' ? allThatFits(cost, needs, Math.min(wanted, cost.p99Output)) : output
  const isHard = needs.some(({ claim }) => claim.budget.mode === 'hard')
  const cap = isHard && cost.cappable && capped < wanted ? Math.floor(capped) : null
  const holds = needs.map(({ claim }) => ({
    account: claim.account,
    amount: needOf(cost, claim, cap ?? output),
  }))
  return { type: 'admit', cap, holds }
}

/** At the very end a call may use what credit there is, up to the 99th percentile. */
function allThatFits(
  cost: CallCost,
  needs: readonly { readonly claim: Claim }[],
  most: number,
): number {
  const fits = needs
    .filter(({ claim }) => claim.budget.mode === 'hard')
    .map(({ claim }) => outputWithin(cost, claim.account.unit, idle(claim.account)))
  return Math.max(Math.min(most, ...fits), Math.min(most, cost.minimumOutput))
}
