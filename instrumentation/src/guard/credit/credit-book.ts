import { type Budget, CREDIT_TTL_MS, type DimensionValues } from '@tokenfuse/protocol/names'
import { admit, type Claim } from './admission.ts'
import type {
  Ask,
  AskOutcome,
  FinalOutcome,
  KnownProfile,
  Now,
  RefusalCause,
  WaitingAsk,
} from './ask.ts'
import type { CallCost } from './call-cost.ts'
import { CallProfiles } from './call-profiles.ts'
import type { EnforcedBudget } from './enforced-budgets.ts'
import {
  free,
  type GuardAccount,
  idle,
  knownSpent,
  lengthenLead,
  reserve,
  takeStep,
  wantedAhead,
} from './guard-account.ts'
import { HeldCredit } from './held-credit.ts'
import { type KnownRate, WithoutGovernor } from './without-governor.ts'

const MAX_WAITING = 10_000
/** With no call for this long a guard gives all its idle credit back. */
const QUIET_MS = CREDIT_TTL_MS / 2

/**
 * The credit that one guard holds, and the calls that wait for more. Pure: time is an argument, and what is to be sent
 * is asked for by the shell (see `reports.ts`).
 */
export class CreditBook {
  readonly credit = new HeldCredit()
  readonly profiles = new CallProfiles()
  #waiting: WaitingAsk[] = []
  /** When the report that was answered last had been sent; credit may be spent for a TTL from then. */
  #answeredMs: number | null = null
  #lastCallMs = 0
  /** A call waits to hear whether the credit at hand may still be spent, or of credit that it was not told of. */
  #wantsAnswer = false
  #knowsPolicy = false
  readonly #alone: WithoutGovernor

  /** @param onStart what to do while no policy is known, or the governor was never reached */
  constructor(onStart: 'allow' | 'refuse') {
    this.#alone = new WithoutGovernor(onStart)
  }

  /** How long a call may wait at most: as long as the least patient of its budgets says. */
  maxWaitMs(values: DimensionValues): number {
    return Math.min(...this.credit.claimedBy(values).map(({ budget }) => budget.maxWait))
  }

  setPolicy(budgets: readonly Budget[], now: Now): void {
    this.#knowsPolicy = true
    this.credit.setBudgets(budgets, now)
  }

  /** Decides on a call at once, or makes it wait; after it, `drain` gives the outcome of those that wait. */
  ask(ask: Ask, now: Now): AskOutcome {
    this.#lastCallMs = now.elapsedMs
    const asked: WaitingAsk = { ...ask, stage: 'wanted', isShort: false }
    if (this.#waiting.length > 0) return this.#queue(asked)
    const outcome = this.#try(asked, now)
    return outcome.type === 'wait' ? this.#queue(asked) : outcome
  }

  #queue(asked: WaitingAsk): AskOutcome {
    if (this.#waiting.length >= MAX_WAITING) {
      return { type: 'refuse', budget: null, why: 'too_many_waiting' }
    }
    this.#waiting.push({ ...asked, stage: 'wanted' })
    return { type: 'wait' }
  }

  /** The outcomes of waiting calls that can be decided now, in the order in which they are. */
  drain(now: Now): { readonly id: number; readonly outcome: FinalOutcome }[] {
    this.credit.forgetNeeds(now)
    // Those that matter most come first, and of these who waits longest.
    this.#waiting.sort((a, b) => a.rank - b.rank)
    const decided: { id: number; outcome: FinalOutcome }[] = []
    const blocked = new Set<string>()
    const still: WaitingAsk[] = []
    for (const ask of this.#waiting) {
      const keys = this.credit.claimedBy(ask.values).map(({ key }) => key)
      const isBlocked = keys.some((key) => blocked.has(key))
      const outcome: AskOutcome =
        isBlocked && now.elapsedMs < ask.deadlineMs ? { type: 'wait' } : this.#try(ask, now)
      if (outcome.type === 'wait') {
        // What waits first is served first: a later call on the same account may not overtake it.
        for (const key of keys) blocked.add(key)
        still.push(ask)
      } else decided.push({ id: ask.id, outcome })
    }
    this.#waiting = still
    this.credit.giveBackScraps(now)
    return decided
  }

  #try(ask: WaitingAsk, now: Now): AskOutcome {
    if (!this.#knowsPolicy) return this.#alone.decideBlind()
    const budgets = this.credit.claimedBy(ask.values)
    if (budgets.length === 0) return { type: 'admit', cap: null, holds: [] }
    this.credit.expireWindows(now)
    const profile = this.profiles.find(ask.profile)
    const cost = ask.cost(profile)
    const isLate = now.elapsedMs >= ask.deadlineMs
    if (!this.#isFresh(now)) {
      this.#wantsAnswer = true
      if (!now.reachable) return this.#tryStale(ask, budgets, cost, now)
    }
    this.#alone.found()
    const claims: Claim[] = []
    for (const claimed of budgets) {
      const account = this.credit.accountOf(claimed)
      if (account) claims.push({ budget: claimed.budget, account })
      else this.credit.want(claimed, cost, ask.rank)
    }
    if (!profile) this.profiles.want(ask.profile)
    if (!profile || claims.length < budgets.length || !this.#isFresh(now)) {
      return isLate
        ? { type: 'refuse', budget: budgets[0]?.budget.id ?? null, why: 'no_answer' }
        : { type: 'wait' }
    }
    const callers = (account: GuardAccount) => account.callsInFlight + this.#waiting.length + 1
    const situation = { callers, rank: ask.rank, nowMs: now.elapsedMs }
    const outcome = admit(cost, claims, isLate ? 'minimum' : ask.stage, situation)
    if (outcome.type === 'admit') {
      for (const { account, amount } of outcome.holds) {
        reserve(account, amount)
        account.lastRank = ask.rank
        const ahead = wantedAhead(account, now.elapsedMs)
        if (account.want < ahead) account.want = ahead
        takeStep(account, cost.step)
      }
      return outcome
    }
    if (outcome.type === 'refuse')
      return refusal(outcome.why, outcome.claim.account, outcome.needed)
    if (isLate) {
      const short = outcome.needs.find(({ account, amount }) => idle(account) < amount)
      return short
        ? refusal('waited', short.account, short.amount)
        : { type: 'refuse', budget: null, why: 'waited' }
    }
    ask.stage = outcome.stage
    for (const { account, amount } of outcome.needs) {
      if (idle(account) < amount && !ask.isShort) lengthenLead(account)
      if (account.need === 0n && idle(account) < amount) {
        account.need = amount
        account.rank = ask.rank
      }
      if (account.rank === ask.rank) account.want += amount
      // There is credit and it may be kept from this call: how much is spent by now says the next answer.
      if (idle(account) >= amount && free(account, ask.rank) < amount) account.changed = true
    }
    ask.isShort = true
    return { type: 'wait' }
  }

  #tryStale(
    ask: WaitingAsk,
    budgets: readonly EnforcedBudget[],
    cost: CallCost,
    now: Now,
  ): AskOutcome {
    const claims = budgets.map((claimed) => {
      const account = this.credit.accountOf(claimed)
      if (!account) this.credit.want(claimed, cost, ask.rank)
      return { ...claimed, account }
    })
    this.profiles.want(ask.profile)
    const staleSinceMs = this.#answeredMs === null ? null : this.#answeredMs + CREDIT_TTL_MS
    return this.#alone.decide(ask, claims, cost, { staleSinceMs, elapsedMs: now.elapsedMs })
  }

  #isFresh(now: Now): boolean {
    return this.#answeredMs !== null && now.elapsedMs - this.#answeredMs < CREDIT_TTL_MS
  }

  /** The governor's stream began anew. What was lent meanwhile is not known here, and nobody would say it again. */
  onStreamBegan(): void {
    if (this.#waiting.length > 0) this.#wantsAnswer = true
  }

  /** A report that was sent at a time has been answered, so credit may be spent for a TTL from then. */
  onAnswered(sentMs: number): void {
    if (this.#answeredMs === null || sentMs > this.#answeredMs) this.#answeredMs = sentMs
    this.#wantsAnswer = false
    this.#alone.answered()
  }

  /** Prices that were told to processes before this one. */
  useRatesOfBefore(rates: readonly KnownRate[]): void {
    this.#alone.useRates(rates)
  }

  /** What the governor has told of a kind of call. */
  profile(values: DimensionValues, provider: string, model: string): KnownProfile | null {
    const { agent, step } = values
    return this.profiles.find({ agent, step, provider, model })
  }

  get wantsAnswer(): boolean {
    return this.#wantsAnswer
  }

  /** Gives back what a guard without calls does not need. */
  tidy(now: Now): void {
    this.credit.expireWindows(now)
    if (now.elapsedMs - this.#lastCallMs >= QUIET_MS) this.credit.giveBackAll()
  }

  /** `elapsedMs` at which calls that wait are to be looked at: at the first deadline, or when a window ends. */
  nextWakeMs(now: Now): number | null {
    if (this.#waiting.length === 0) return null
    let wakeMs = this.credit.nextEndMs(now)
    for (const { deadlineMs } of this.#waiting) wakeMs = Math.min(wakeMs, deadlineMs)
    return wakeMs
  }
}

function refusal(why: RefusalCause, account: GuardAccount, needed: bigint): FinalOutcome {
  const { budget, scope, unit, limit } = account
  const spent = knownSpent(account)
  return { type: 'refuse', why, budget, account: { scope, unit, limit, spent, needed } }
}
