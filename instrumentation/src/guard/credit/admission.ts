import type { Budget } from '@tokenfuse/protocol/names'
import {
  amountFor,
  type CallCost,
  dependsOnOutput,
  outputWithin,
  wantedOutput,
} from './call-cost.ts'
import {
  free,
  type GuardAccount,
  hasTaken,
  isKeptFrom,
  isSpentUp,
  knownSpent,
} from './guard-account.ts'

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
      readonly why: 'exhausted' | 'scarce' | 'uncappable'
      /** The least with which it could have run. */
      readonly needed: bigint
    }

/** What a call stands among. */
export type Situation = {
  /** Calls of this guard that share an account: in flight and waiting, this one included. */
  readonly callers: (account: GuardAccount) => number
  /** How much the call matters. */
  readonly rank: number
  readonly nowMs: number
}

/**
 * Whether a call may run on the credit at hand, how long its answer may be, or what it waits for. Far from a limit
 * nothing is changed. Source: the credit protocol of the design, section 5.
 */
export function admit(
  cost: CallCost,
  claims: readonly Claim[],
  stage: Stage,
  { callers, rank, nowMs }: Situation,
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
    const short = needs.find(({ claim, amount }) => free(claim.account, rank) < amount)
    if (!short) return admitted(cost, output, needs, at, rank)
    const { account } = short.claim
    const isKept = isKeptFrom(account, short.amount, rank, nowMs)
    const spentUp = isKept || isSpentUp(account, short.amount, rank, nowMs)
    // Where a shorter answer would not help, none is asked for.
    const mayComeDown = at !== 'minimum' && dependsOnOutput(account.unit)
    if (spentUp && !mayComeDown) {
      const isLeft = account.limit - knownSpent(account) >= short.amount
      const why = isLeft && isKept ? 'scarce' : 'exhausted'
      return { type: 'refuse', claim: short.claim, why, needed: short.amount }
    }
    const comesDown = spentUp || (at === 'wanted' && account.state === 'waiting')
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
  rank: number,
): AdmissionOutcome {
  const wanted = wantedOutput(cost)
  const capped =
    stage === 'minimum' ? allThatFits(cost, needs, Math.min(wanted, cost.p99Output), rank) : output
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
  rank: number,
): number {
  const fits = needs
    .filter(({ claim }) => claim.budget.mode === 'hard')
    .map(({ claim }) => outputWithin(cost, claim.account.unit, free(claim.account, rank)))
  return Math.max(Math.min(most, ...fits), Math.min(most, cost.minimumOutput))
}
