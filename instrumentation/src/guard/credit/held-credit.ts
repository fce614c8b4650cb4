import { type Account, type Budget, type DimensionValues } from '@tokenfuse/protocol/names'
import type { Hold } from './admission.ts'
import type { Now, Opening } from './ask.ts'
import { type CallCost, costLevels } from './call-cost.ts'
import { type EnforcedBudget, EnforcedBudgets } from './enforced-budgets.ts'
import {
  accountKey,
  giveBack,
  type GuardAccount,
  idle,
  openAccount,
  settle,
  tell,
  wantedAhead,
} from './guard-account.ts'

const MAX_ACCOUNTS = 10_000
/** How long recalled credit is wanted back as soon as it becomes idle. */
const SCARCE_MS = 15_000

/** The accounts of one guard: what it was lent on each counter, and what it asks for the first time. */
export class HeldCredit {
  readonly #budgets = new EnforcedBudgets()
  readonly #accounts = new Map<string, GuardAccount>()
  /** Accounts of windows that are over, until the governor knows the last of them. */
  readonly #ended = new Set<GuardAccount>()
  readonly #openings = new Map<string, Opening>()
  /** Log time is at least this, since the governor has begun a window at it. */
  #leastLogMs = 0

  setBudgets(budgets: readonly Budget[], now: Now): void {
    const changed = this.#budgets.replace(budgets)
    for (const [key, account] of this.#accounts) {
      // Of what a budget counts no more the governor wants to hear nothing.
      if (changed.has(account.budget)) this.#accounts.delete(key)
      else if (!this.#budgets.has(account.budget)) this.#end(key, account)
    }
    this.expireWindows(now)
  }

  claimedBy(values: DimensionValues): readonly EnforcedBudget[] {
    return this.#budgets.claimedBy(values)
  }

  accountOf({ key }: EnforcedBudget): GuardAccount | null {
    return this.#accounts.get(key) ?? null
  }

  /** Asks for an account that a call needs. */
  want({ key, budget, scope, unit }: EnforcedBudget, cost: CallCost, rank: number): void {
    const before = this.#openings.get(key)
    // While nobody can be asked they only gather; those that find no room are asked for by a later call.
    if (!before && this.#openings.size >= MAX_ACCOUNTS) return
    const scarceUntilMs = before?.scarceUntilMs ?? 0
    const levels = costLevels(cost, unit)
    this.#openings.set(key, { budget: budget.id, scope, ...levels, rank, scarceUntilMs })
  }

  /** What is wanted for the next calls alone; what waits adds its needs. */
  forgetNeeds(now: Now): void {
    for (const account of this.#accounts.values()) {
      account.need = 0n
      account.rank = account.lastRank
      account.want = wantedAhead(account, now.elapsedMs)
    }
  }

  /**
   * Credit that others wait for and that does not suffice for a call here: it came too late, or in part. Nobody would
   * ask for it again until the next report.
   */
  giveBackScraps(now: Now): void {
    for (const account of this.#accounts.values()) {
      const { need, want, scarceUntilMs } = account
      if (now.elapsedMs >= scarceUntilMs) continue
      if (need > idle(account) || (need === 0n && want === 0n)) giveBack(account)
    }
  }

  giveBackAll(): void {
    for (const account of this.#accounts.values()) giveBack(account)
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
      const account = this.#accountFor(news, now)
      if (account) tell(account, news, offset, now.elapsedMs)
    }
  }

  /** The account that is spoken of, opened where it is new; `null` where it is over or nobody wants it. */
  #accountFor(news: Account, now: Now): GuardAccount | null {
    const key = accountKey(news.budget, news.scope)
    const known = this.#accounts.get(key)
    if (known && isOlder(news, known)) return null
    this.#leastLogMs = Math.max(this.#leastLogMs, news.windowFromMs)
    if (known && !isOlder(known, news)) return known
    if (known) this.#end(key, known)
    // By this clock the window is over: what was settled of it must not be opened again.
    if (news.windowUntilMs !== null && news.windowUntilMs <= this.logMs(now)) return null
    if (!this.#budgets.has(news.budget) || this.#accounts.size >= MAX_ACCOUNTS) return null
    const account = openAccount(news, this.#budgets.isRolling(news.budget))
    account.scarceUntilMs = this.#openings.get(key)?.scarceUntilMs ?? 0
    this.#accounts.set(key, account)
    this.#openings.delete(key)
    return account
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

  get accounts(): Iterable<GuardAccount> {
    return this.#accounts.values()
  }

  get ended(): ReadonlySet<GuardAccount> {
    return this.#ended
  }

  get openings(): ReadonlyMap<string, Opening> {
    return this.#openings
  }

  /** The governor knows the last of an account. */
  forgetEnded(account: GuardAccount): void {
    this.#ended.delete(account)
  }

  /** Log time as well as it is known; what is admitted now counts at this time. */
  logMs(now: Now): number {
    return Math.max(now.logMs, this.#leastLogMs)
  }

  /** `elapsedMs` at which the next window ends; infinite for never. */
  nextEndMs(now: Now): number {
    let endMs = Number.POSITIVE_INFINITY
    for (const { windowUntilMs } of this.#accounts.values()) {
      if (windowUntilMs === null) continue
      endMs = Math.min(endMs, now.elapsedMs + Math.max(0, windowUntilMs - this.logMs(now)))
    }
    return endMs
  }

  expireWindows(now: Now): void {
    for (const [key, account] of this.#accounts) {
      const { windowUntilMs } = account
      if (windowUntilMs !== null && windowUntilMs <= this.logMs(now)) this.#end(key, account)
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
