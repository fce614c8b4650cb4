import { type Account, type BudgetUnit, CRITICALITIES } from '@tokenfuse/protocol/names'

const PACE_MEMORY_MS = 60_000
const BELIEVE_EXHAUSTED_MS = 5_000
const MAX_STEPS = 10_000
const NORMAL = CRITICALITIES.indexOf('normal')
const LEAST_LEAD = 2
const MOST_LEAD = 32

/** What this guard was lent on one counter and what became of it, in the budget's unit. */
export type GuardAccount = {
  readonly budget: string
  readonly scope: string
  readonly unit: BudgetUnit
  readonly windowFromMs: number
  readonly windowUntilMs: number | null
  readonly since: number
  /** Spend leaves the window again, so that `used` says nothing of what is spent. */
  readonly isRolling: boolean
  limit: bigint
  /** Of the whole counter, as last told. */
  spent: bigint
  lent: bigint
  returned: bigint
  /** Final cost of the calls that are done. */
  used: bigint
  /** Exposure of the calls in flight. */
  reserved: bigint
  callsInFlight: number
  fairShare: bigint
  state: Account['state']
  /** The log offset of what was last told; an older message changes nothing. And when that was heard. */
  toldAt: number
  toldAtMs: number
  /** The least need of which the governor said that it will not be met; `null` where it said no such thing. */
  exhaustedNeed: bigint | null
  /** What was left of the limit then, and until when this is believed without asking again. */
  exhaustedLeft: bigint
  exhaustedUntilMs: number
  /** It was said to calls that matter this much; those that matter less believe it, too. */
  exhaustedRank: number
  /** Until what is spent in all calls of a rank get credit; `null` for the whole limit. */
  ceilings: readonly (bigint | null)[]
  /** Of the calls that `need` and `want` are for, of those of the report that was sent last, and of the last that ran. */
  rank: number
  reportedRank: number
  lastRank: number
  /** What the waiting calls need and want now. */
  need: bigint
  want: bigint
  /** The needs of the report that was sent last and of the one that was answered last. */
  reportedNeed: bigint
  answeredNeed: bigint
  /** Something that the governor does not know yet. */
  changed: boolean
  /** Idle credit was asked back; until then what becomes idle goes back at once. */
  scarceUntilMs: number
  /** What a call needed lately. */
  typicalNeed: bigint
  /** Steps that this guard has taken credit for. */
  readonly steps: Set<string>
  /** Credit is kept for so many calls ahead of each in flight. */
  lead: number
  /** Recent spend for each millisecond, and when that was worked out. */
  pace: number
  paceAtMs: number
}

export function accountKey(budget: string, scope: string): string {
  return `${budget}|${scope}`
}

export function openAccount(told: Account, isRolling: boolean): GuardAccount {
  return {
    budget: told.budget,
    scope: told.scope,
    unit: told.unit,
    windowFromMs: told.windowFromMs,
    windowUntilMs: told.windowUntilMs,
    since: told.since,
    isRolling,
    limit: 0n,
    spent: 0n,
    lent: 0n,
    returned: 0n,
    used: 0n,
    reserved: 0n,
    callsInFlight: 0,
    fairShare: 0n,
    state: 'open',
    toldAt: -1,
    toldAtMs: 0,
    exhaustedNeed: null,
    exhaustedLeft: 0n,
    exhaustedUntilMs: 0,
    exhaustedRank: 0,
    ceilings: [],
    rank: NORMAL,
    reportedRank: NORMAL,
    lastRank: NORMAL,
    need: 0n,
    want: 0n,
    reportedNeed: 0n,
    answeredNeed: 0n,
    changed: false,
    scarceUntilMs: 0,
    typicalNeed: 0n,
    steps: new Set(),
    lead: LEAST_LEAD,
    pace: 0,
    paceAtMs: 0,
  }
}

/** Takes in what the governor says, unless something newer was told. */
export function tell(account: GuardAccount, told: Account, offset: number, nowMs: number): void {
  const lent = BigInt(told.lent)
  if (lent > account.lent) account.lent = lent
  if (offset < account.toldAt) return
  account.toldAt = offset
  account.limit = BigInt(told.limit)
  account.spent = BigInt(told.spent)
  account.fairShare = BigInt(told.fairShare)
  account.state = told.state
  const { ceilings } = told
  const below = (text: string) => (BigInt(text) < account.limit ? BigInt(text) : null)
  account.ceilings = ceilings ? [null, below(ceilings.normal), below(ceilings.bestEffort)] : []
  account.toldAtMs = nowMs
  noteExhaustion(account, nowMs)
}

/**
 * Remembers what will not be met, so that each further call is refused at once instead of asking again. It may be
 * the answer to either of two reports, so the greater need counts: believing too little only asks once more.
 */
function noteExhaustion(account: GuardAccount, nowMs: number): void {
  const left = account.limit - account.spent
  const need =
    account.answeredNeed > account.reportedNeed ? account.answeredNeed : account.reportedNeed
  const { exhaustedNeed } = account
  if (account.state === 'exhausted' && need > 0n) {
    account.exhaustedNeed = exhaustedNeed !== null && exhaustedNeed < need ? exhaustedNeed : need
    account.exhaustedLeft = left
    account.exhaustedUntilMs = nowMs + BELIEVE_EXHAUSTED_MS
    account.exhaustedRank = account.reportedRank
  } else if (exhaustedNeed !== null && (need >= exhaustedNeed || left > account.exhaustedLeft)) {
    account.exhaustedNeed = null
  }
}

/** Whether the governor said that a need of calls that matter so much will not be met in this window. */
export function isSpentUp(
  account: GuardAccount,
  need: bigint,
  rank: number,
  nowMs: number,
): boolean {
  const { exhaustedNeed, exhaustedRank } = account
  if (exhaustedNeed === null || rank < exhaustedRank) return false
  return exhaustedNeed <= need && nowMs < account.exhaustedUntilMs
}

/** Whether so much of the budget was spent lately that the rest is for calls that matter more. */
export function isKeptFrom(
  account: GuardAccount,
  need: bigint,
  rank: number,
  nowMs: number,
): boolean {
  const ceiling = account.ceilings[rank] ?? null
  if (ceiling === null || nowMs >= account.toldAtMs + BELIEVE_EXHAUSTED_MS) return false
  return knownSpent(account) + need > ceiling
}

/** Credit that a call that matters so much can reserve now. */
export function free(account: GuardAccount, rank: number): bigint {
  const ceiling = account.ceilings[rank] ?? null
  const left = idle(account)
  if (ceiling === null) return left
  const room = ceiling - knownSpent(account) - account.reserved
  return room < left ? room : left
}

/** What is spent of the whole counter as far as it is known here: the last calls may not have been counted when told. */
export function knownSpent({ spent, used, isRolling }: GuardAccount): bigint {
  return isRolling || spent > used ? spent : used
}

/** Credit that can be reserved now. Never negative, though a call may have cost more than was reserved for it. */
export function idle(account: GuardAccount): bigint {
  const left = account.lent - account.returned - account.used - account.reserved
  return left > 0n ? left : 0n
}

/** A call had to wait for credit: the next ones come faster than it is renewed. */
export function lengthenLead(account: GuardAccount): void {
  account.lead = Math.min(MOST_LEAD, account.lead * 2)
}

/**
 * Credit to ask for ahead of the next calls, so that they need not wait for it; nothing while there is enough, or where
 * others need it.
 */
export function wantedAhead(account: GuardAccount, nowMs: number): bigint {
  if (account.state !== 'open' || nowMs < account.scarceUntilMs) return 0n
  for (let lead = account.lead; lead >= LEAST_LEAD; lead /= 2) {
    const ahead = account.typicalNeed * BigInt(lead * account.callsInFlight)
    if (account.fairShare <= ahead + account.reserved) continue
    return idle(account) < ahead / 2n ? ahead : 0n
  }
  return 0n
}

export function reserve(account: GuardAccount, amount: bigint): void {
  account.reserved += amount
  account.callsInFlight++
  account.typicalNeed =
    account.typicalNeed === 0n ? amount : (account.typicalNeed * 7n + amount) / 8n
  account.changed = true
}

/** Whether credit was taken for a step already, so that its further calls need none. */
export function hasTaken({ steps }: GuardAccount, step: string | null): boolean {
  return step !== null && steps.has(step)
}

/** A call of a step runs. A step that finds no room here is taken anew by each of its calls. */
export function takeStep({ unit, steps }: GuardAccount, step: string | null): void {
  if (unit === 'steps' && step !== null && steps.size < MAX_STEPS) steps.add(step)
}

/** A call is done: what was reserved for it is free but for what it cost. */
export function settle(account: GuardAccount, reserved: bigint, cost: bigint, nowMs: number): void {
  account.reserved -= reserved
  account.callsInFlight--
  account.used += cost
  account.changed = true
  const decayed = paceAt(account, nowMs)
  account.pace = decayed + Number(cost) / PACE_MEMORY_MS
  account.paceAtMs = nowMs
}

/** Spend for each millisecond over about the last minute. */
export function paceAt(account: GuardAccount, nowMs: number): number {
  return account.pace * Math.exp(-Math.max(0, nowMs - account.paceAtMs) / PACE_MEMORY_MS)
}

export function giveBack(account: GuardAccount): void {
  const amount = idle(account)
  if (amount === 0n) return
  account.returned += amount
  account.lead = LEAST_LEAD
  account.changed = true
}
