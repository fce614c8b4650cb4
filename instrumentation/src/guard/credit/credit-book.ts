import {
  type Account,
  type CallProfile,
  CREDIT_TTL_MS,
  type DimensionValues,
  type ProfileAnswer,
  rateFromWire,
  type Budget,
} from '@tokenfuse/protocol/names'
import { admit, type Claim, type Hold } from './admission.ts'
import { type CallCost, costLevels } from './call-cost.ts'
import { EnforcedBudgets, type EnforcedBudget } from './enforced-budgets.ts'
import {
  accountKey,
  free,
  giveBack,
  type GuardAccount,
  idle,
  knownSpent,
  lengthenLead,
  openAccount,
  reserve,
  settle,
  takeStep,
  tell,
  wantedAhead,
} from './guard-account.ts'
import { type KnownRate, WithoutGovernor } from './without-governor.ts'
import type {
  Ask,
  AskOutcome,
  FinalOutcome,
  KnownProfile,
  Now,
  Opening,
  RefusalCause,
  WaitingAsk,
} from './ask.ts'

const MAX_ACCOUNTS = 10_000
const MAX_PROFILES = 1_000
const MAX_WAITING = 10_000
/** How long recalled credit is wanted back as soon as it becomes idle. */
const SCARCE_MS = 15_000
/** With no call for this long a guard gives all its idle credit back. */
const QUIET_MS = CREDIT_TTL_MS / 2

/**
 * The credit that one guard holds, and the calls that wait for more. Pure: time is an argument, and what is to be sent
 * is asked for by the shell (see `reports.ts`).
 */
export class CreditBook {
  readonly #budgets = new EnforcedBudgets()
  readonly #accounts = new Map<string, GuardAccount>()
  /** Accounts of windows that are over, until the governor knows the last of them. */
  readonly #ended = new Set<GuardAccount>()
  readonly #openings = new Map<string, Opening>()
  readonly #profiles = new Map<string, KnownProfile>()
  readonly #wantedProfiles = new Map<string, CallProfile>()
  #waiting: WaitingAsk[] = []
  /** When the report that was answered last had been sent; credit may be spent for a TTL from then. */
  #answeredMs: number | null = null
  #lastCallMs = 0
  /** Log time is at least this, since the governor has begun a window at it. */
  #leastLogMs = 0
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
    return Math.min(...this.#budgets.claimedBy(values).map(({ budget }) => budget.maxWait))
  }

  setPolicy(budgets: readonly Budget[], now: Now): void {
    this.#knowsPolicy = true
    const changed = this.#budgets.replace(budgets)
    for (const [key, account] of this.#accounts) {
      // Of what a budget counts no more the governor wants to hear nothing.
      if (changed.has(account.budget)) this.#accounts.delete(key)
      else if (!this.#budgets.has(account.budget)) this.#end(key, account)
    }
    this.#expireWindows(now)
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
    for (const account of this.#accounts.values()) {
      account.need = 0n
      account.rank = account.lastRank
      account.want = wantedAhead(account, now.elapsedMs)
    }
    // Those that matter most come first, and of these who waits longest.
    this.#waiting.sort((a, b) => a.rank - b.rank)
    const decided: { id: number; outcome: FinalOutcome }[] = []
    const blocked = new Set<string>()
    const still: WaitingAsk[] = []
    for (const ask of this.#waiting) {
      const keys = this.#budgets.claimedBy(ask.values).map(({ key }) => key)
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
    this.#giveBackScraps(now)
    return decided
  }

  /**
   * Credit that others wait for and that does not suffice for a call here: it came too late, or in part. Nobody would
   * ask for it again until the next report.
   */
  #giveBackScraps(now: Now): void {
    for (const account of this.#accounts.values()) {
      const { need, want, scarceUntilMs } = account
      if (now.elapsedMs >= scarceUntilMs) continue
      if (need > idle(account) || (need === 0n && want === 0n)) giveBack(account)
    }
  }

  /** A call that waits is given up by its app. */
  cancel(id: number): void {
    this.#waiting = this.#waiting.filter((ask) => ask.id !== id)
  }

  #try(ask: WaitingAsk, now: Now): AskOutcome {
    if (!this.#knowsPolicy) return this.#alone.decideBlind()
    const budgets = this.#budgets.claimedBy(ask.values)
    if (budgets.length === 0) return { type: 'admit', cap: null, holds: [] }
    this.#expireWindows(now)
    const profile = this.#profiles.get(profileKey(ask.profile)) ?? null
    const cost = ask.cost(profile)
    const isLate = now.elapsedMs >= ask.deadlineMs
    if (!this.#isFresh(now)) {
      this.#wantsAnswer = true
      if (!now.reachable) return this.#tryStale(ask, budgets, cost, now)
    }
    this.#alone.found()
    const claims: Claim[] = []
    for (const claimed of budgets) {
      const account = this.#accounts.get(claimed.key)
      if (account) claims.push({ budget: claimed.budget, account })
      else this.#wantAccount(claimed, cost, ask.rank)
    }
    if (!profile) this.#wantProfile(ask.profile)
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
      const account = this.#accounts.get(claimed.key) ?? null
      if (!account) this.#wantAccount(claimed, cost, ask.rank)
      return { ...claimed, account }
    })
    this.#wantProfile(ask.profile)
    const staleSinceMs = this.#answeredMs === null ? null : this.#answeredMs + CREDIT_TTL_MS
    return this.#alone.decide(ask, claims, cost, { staleSinceMs, elapsedMs: now.elapsedMs })
  }

  #isFresh(now: Now): boolean {
    return this.#answeredMs !== null && now.elapsedMs - this.#answeredMs < CREDIT_TTL_MS
  }

  /**
   * A call is done.
   * @param costOf what it cost in a unit, as its usage event will say
   */
  settle(holds: readonly Hold[], costOf: (account: GuardAccount) => bigint, now: Now): void {
    for (const { account, amount } of holds) {
      // What a step costs was known before.
      const cost = account.unit === 'steps' ? amount : costOf(account)
      settle(account, amount, cost, now.elapsedMs)
      if (now.elapsedMs < account.scarceUntilMs || this.#ended.has(account)) giveBack(account)
    }
  }

  /** Credit was lent, or chances changed. */
  onAccounts(told: readonly Account[], offset: number, now: Now): void {
    for (const news of told) {
      const key = accountKey(news.budget, news.scope)
      let account = this.#accounts.get(key)
      if (account && isOlder(news, account)) continue
      if (account && isOlder(account, news)) {
        this.#end(key, account)
        account = undefined
      }
      this.#leastLogMs = Math.max(this.#leastLogMs, news.windowFromMs)
      if (!account) {
        // By this clock the window is over: what was settled of it must not be opened again.
        if (news.windowUntilMs !== null && news.windowUntilMs <= this.logMs(now)) continue
        if (!this.#budgets.has(news.budget) || this.#accounts.size >= MAX_ACCOUNTS) continue
        account = openAccount(news, this.#budgets.isRolling(news.budget))
        account.scarceUntilMs = this.#openings.get(key)?.scarceUntilMs ?? 0
        this.#accounts.set(key, account)
        this.#openings.delete(key)
      }
      tell(account, news, offset, now.elapsedMs)
    }
  }

  /** The governor's stream began anew. What was lent meanwhile is not known here, and nobody would say it again. */
  onStreamBegan(): void {
    if (this.#waiting.length > 0) this.#wantsAnswer = true
  }

  /** Idle credit is wanted back by others, now and as it becomes idle. */
  onRecall(names: readonly { readonly budget: string; readonly scope: string }[], now: Now): void {
    for (const { budget, scope } of names) {
      const key = accountKey(budget, scope)
      const account = this.#accounts.get(key)
      const scarce = account ?? this.#openings.get(key)
      // It may come before the answer with which the account is opened here.
      if (scarce) scarce.scarceUntilMs = now.elapsedMs + SCARCE_MS
      if (!account) continue
      account.changed = true
      giveBack(account)
    }
  }

  onProfiles(profiles: readonly ProfileAnswer[]): void {
    for (const profile of profiles) {
      const key = profileKey(profile)
      this.#wantedProfiles.delete(key)
      if (this.#profiles.size >= MAX_PROFILES) this.#profiles.clear()
      this.#profiles.set(key, { ...profile, rate: rateFromWire(profile.rate) })
    }
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
    return this.#profiles.get(profileKey({ agent, step, provider, model })) ?? null
  }

  get wantsAnswer(): boolean {
    return this.#wantsAnswer
  }

  /** What the reports are made of. */
  ledger(): CreditLedger {
    return {
      accounts: this.#accounts,
      ended: this.#ended,
      openings: this.#openings,
      profiles: this.#profiles,
      wantedProfiles: this.#wantedProfiles,
    }
  }

  /** Gives back what a guard without calls does not need. */
  tidy(now: Now): void {
    this.#expireWindows(now)
    if (now.elapsedMs - this.#lastCallMs < QUIET_MS) return
    for (const account of this.#accounts.values()) giveBack(account)
  }

  close(): void {
    for (const account of this.#accounts.values()) giveBack(account)
  }

  /** Log time as well as it is known; what is admitted now counts at this time. */
  logMs(now: Now): number {
    return Math.max(now.logMs, this.#leastLogMs)
  }

  /** `elapsedMs` at which calls that wait are to be looked at: at the first deadline, or when a window ends. */
  nextWakeMs(now: Now): number | null {
    if (this.#waiting.length === 0) return null
    let wakeMs = Number.POSITIVE_INFINITY
    for (const { deadlineMs } of this.#waiting) wakeMs = Math.min(wakeMs, deadlineMs)
    for (const { windowUntilMs } of this.#accounts.values()) {
      if (windowUntilMs === null) continue
      wakeMs = Math.min(wakeMs, now.elapsedMs + Math.max(0, windowUntilMs - this.logMs(now)))
    }
    return wakeMs
  }

  #wantAccount({ key, budget, scope, unit }: EnforcedBudget, cost: CallCost, rank: number): void {
    const before = this.#openings.get(key)
    // While nobody can be asked they only gather; those that find no room are asked for by a later call.
    if (!before && this.#openings.size >= MAX_ACCOUNTS) return
    const scarceUntilMs = before?.scarceUntilMs ?? 0
    this.#openings.set(key, {
      budget: budget.id,
      scope,
      ...costLevels(cost, unit),
      rank,
      scarceUntilMs,
    })
  }

  #wantProfile(profile: CallProfile): void {
    if (this.#wantedProfiles.size < MAX_PROFILES)
      this.#wantedProfiles.set(profileKey(profile), profile)
  }

  #expireWindows(now: Now): void {
    for (const [key, account] of this.#accounts) {
      if (account.windowUntilMs !== null && account.windowUntilMs <= this.logMs(now))
        this.#end(key, account)
    }
  }

  #end(key: string, account: GuardAccount): void {
    giveBack(account)
    account.need = account.want = 0n
    account.changed = true
    this.#accounts.delete(key)
    this.#ended.add(account)
  }
}

/** Whether an account is of an earlier window, or of what its budget counted before. */
function isOlder(a: AccountTime, b: AccountTime): boolean {
  return a.since === b.since ? a.windowFromMs < b.windowFromMs : a.since < b.since
}
type AccountTime = Pick<Account, 'since' | 'windowFromMs'>

function refusal(why: RefusalCause, account: GuardAccount, needed: bigint): FinalOutcome {
  const { budget, scope, unit, limit } = account
  const spent = knownSpent(account)
  return { type: 'refuse', why, budget, account: { scope, unit, limit, spent, needed } }
}

export type CreditLedger = {
  readonly accounts: ReadonlyMap<string, GuardAccount>
  readonly ended: Set<GuardAccount>
  readonly openings: ReadonlyMap<string, Opening>
  readonly profiles: ReadonlyMap<string, KnownProfile>
  readonly wantedProfiles: ReadonlyMap<string, CallProfile>
}

export function profileKey(profile: CallProfile): string {
  return [profile.provider, profile.model, profile.agent, profile.step].join('\u0000')
}
