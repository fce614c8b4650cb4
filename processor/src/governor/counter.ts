import type { Action, BudgetUnit, Decision } from '@tokenfuse/protocol'
import { type GuardAccount, idle, isSettled, outstanding, unseen } from './account.ts'
import { AccountList } from './account-list.ts'
import { type Amount, min, minus, plus } from './amount.ts'
import { addAmountAt, amountAt, isAtLeast, setAmountAt } from './amount-cells.ts'
import type { StepSet } from './counted-steps.ts'
import type { OpenBin } from './forecast/scope-row.ts'
import { NumberRows } from './number-rows.ts'
import type { Rank } from './scarcity.ts'

/** What may still be spent without changing anything but sums; not positive where it has to be worked out. */
const QUIET = 0
/** Where each amount stands in a counter's row; what every call reads comes first. */
const SPENT = 1
const OUTSTANDING = 3
const UNGUARDED = 5
const UNCONFIRMED = 7
const LIMIT = 9
const WARN_FROM = 11
const WIDTH = 13

export function counterRows(): NumberRows {
  return new NumberRows(WIDTH)
}

/** The counters of one budget in one window of time. */
export type BudgetWindow = {
  readonly budget: string
  readonly unit: BudgetUnit
  readonly fromMs: number
  readonly untilMs: number | null
  /** By scope, oldest first. */
  readonly counters: Map<string, Counter>
}

/** What one budget has counted in one scope and window, and the credit lent on it. */
export class Counter {
  // What every call reads comes first, so that it stands in as few lines of memory as can be.
  readonly window: BudgetWindow
  /** The next in the chain of the scope that this one is found by. */
  next: Counter | null = null
  /** It is forgotten: whoever still holds it looks it up again. */
  isGone = false
  /** Since the last snapshot. */
  isChanged = false
  readonly #numbers: Float64Array
  readonly #at: number
  readonly accounts = new AccountList()
  /** Where its forecast counts; looked up again once that is gone. */
  bin: OpenBin | null = null

  readonly scope: string
  /** Rises from counter to counter, as they were made. */
  order: number
  /** Some guard would like more credit than it has, or was told that it may not get any; or that was so. */
  isWanted = false
  /** Which ranks of calls were seen in it, a bit each. */
  ranks = 0
  /** Of a budget in steps: those that were counted. */
  steps: StepSet | null = null
  #decision: Decision | null = null
  readonly #rows: NumberRows
  readonly #row: number

  constructor(window: BudgetWindow, scope: string, order: number, rows: NumberRows) {
    this.window = window
    this.scope = scope
    this.order = order
    this.#rows = rows
    const { row, numbers, at } = rows.allocate()
    this.#row = row
    this.#numbers = numbers
    this.#at = at
  }

  /** The counter is not to be used any more. */
  free(): void {
    this.isGone = true
    for (const account of this.accounts.all()) account.free()
    this.#rows.free(this.#row)
  }

  /** The decision in force, or null below every threshold. */
  get decision(): Decision | null {
    return this.#decision
  }

  set decision(decision: Decision | null) {
    this.#decision = decision
    this.#unsettle()
  }

  get spent(): Amount {
    return amountAt(this.#numbers, this.#at + SPENT)
  }

  set spent(amount: Amount) {
    setAmountAt(this.#numbers, this.#at + SPENT, amount)
    this.#unsettle()
  }

  /** Says nothing, but to read it brings the row and the account near. */
  get firstNumber(): number {
    return (this.#numbers[this.#at] as number) + this.accounts.near
  }

  /** Of `spent`, what changes with every call that counts; for a hash. */
  get spentRest(): number {
    return this.#numbers[this.#at + SPENT] as number
  }

  /** Part of `spent` that no guard's credit covered. */
  get unguarded(): Amount {
    return amountAt(this.#numbers, this.#at + UNGUARDED)
  }

  set unguarded(amount: Amount) {
    setAmountAt(this.#numbers, this.#at + UNGUARDED, amount)
  }

  /** Part of `spent` that was charged without having been seen. */
  get unconfirmed(): Amount {
    return amountAt(this.#numbers, this.#at + UNCONFIRMED)
  }

  set unconfirmed(amount: Amount) {
    setAmountAt(this.#numbers, this.#at + UNCONFIRMED, amount)
  }

  /** What the policy and overrides allow. */
  get limit(): Amount {
    return amountAt(this.#numbers, this.#at + LIMIT)
  }

  /** Credit that is out on all accounts, those held included. */
  get outstanding(): Amount {
    return amountAt(this.#numbers, this.#at + OUTSTANDING)
  }

  /** @param warnFrom what is spent when it is time to warn */
  setLimit(limit: Amount, warnFrom: Amount): void {
    setAmountAt(this.#numbers, this.#at + LIMIT, limit)
    setAmountAt(this.#numbers, this.#at + WARN_FROM, warnFrom)
    this.#unsettle()
  }

  /** The action that what is spent asks for. The last step that a limit allows may take further calls. */
  get dueAction(): Action {
    const isAtLimit = isAtLeast(this.#numbers, this.#at + SPENT, this.#at + LIMIT)
    if (isAtLimit && (this.window.unit !== 'steps' || this.spent > this.limit)) return 'block'
    return isAtLeast(this.#numbers, this.#at + SPENT, this.#at + WARN_FROM) ? 'warn' : 'allow'
  }

  /**
   * Counts what a guard has spent of its credit, or what nobody's credit covers, where nothing follows from it: no
   * decision is due, and there is credit for all who want some.
   * @returns whether that was so; else nothing has changed
   */
  countQuietly(amount: Amount, account: GuardAccount | null): boolean {
    if (typeof amount !== 'number') return false
    const numbers = this.#numbers
    const at = this.#at
    const quiet = (numbers[at + QUIET] as number) - amount
    if (!(quiet > 0)) return false
    if (account === null) addAmountAt(numbers, at + UNGUARDED, amount)
    else if (account.seeQuietly(amount)) {
      numbers[at + OUTSTANDING] = (numbers[at + OUTSTANDING] as number) - amount
    } else return false
    addAmountAt(numbers, at + SPENT, amount)
    numbers[at + QUIET] = quiet
    return true
  }

  /** Works out what `countQuietly` may count, after everything that followed from a call was done. */
  settleDown(): void {
    const { spent, outstanding: lent } = this
    this.#numbers[this.#at + QUIET] = 0
    if (typeof spent !== 'number' || typeof lent !== 'number') return
    if (this.dueAction !== (this.decision?.action ?? 'allow')) return
    let quiet = Number(minus(this.#nextThreshold(), spent))
    if (this.accounts.size > 0) {
      if (this.isWanted) return
      quiet = Math.min(quiet, Number(lendable(this, this.limit)))
    }
    this.#numbers[this.#at + QUIET] = Math.min(quiet, Number.MAX_SAFE_INTEGER - spent)
  }

  #nextThreshold(): Amount {
    if (this.decision === null) return amountAt(this.#numbers, this.#at + WARN_FROM)
    return this.decision.action === 'warn' ? this.limit : Number.MAX_SAFE_INTEGER
  }

  #unsettle(): void {
    this.#numbers[this.#at + QUIET] = 0
  }

  /**
   * Counts what a guard has spent of its credit, or what nobody's credit covers.
   * @param ofCredit what the guard took from its credit, where another guard has told of the same spend already
   */
  count(amount: Amount, account: GuardAccount | null, ofCredit = amount): void {
    if (!account) {
      this.spent = plus(this.spent, amount)
      this.unguarded = plus(this.unguarded, amount)
      return
    }
    const before = outstanding(account)
    const replaced = minus(ofCredit, account.see(ofCredit))
    account.settleDown()
    this.spent = plus(this.spent, minus(amount, replaced))
    this.unconfirmed = minus(this.unconfirmed, replaced)
    const change = minus(outstanding(account), before)
    setAmountAt(this.#numbers, this.#at + OUTSTANDING, plus(this.outstanding, change))
  }

  /** Calls of a rank count in it, or wait for it. */
  noteRank(rank: Rank): void {
    if ((this.ranks & (1 << rank)) !== 0) return
    this.ranks |= 1 << rank
    this.#unsettle()
  }

  hasSeenAbove(rank: Rank): boolean {
    return (this.ranks & ((1 << rank) - 1)) !== 0
  }

  /** A guard has told of spend that counts no more: its credit is used up, and nothing is counted. */
  seeOnly(amount: Amount, account: GuardAccount): void {
    account.seen = plus(account.seen, amount)
    this.sumOutstanding()
  }

  /** So much counts no more: it leaves the window, or less was used. Never more than is counted. */
  letGo(amount: Amount): void {
    this.spent = minus(this.spent, min(amount, this.spent))
    this.unguarded = min(this.unguarded, this.spent)
    this.unconfirmed = min(this.unconfirmed, this.spent)
  }

  /** Counts as spent what no usage event has shown. */
  countUnseen(amount: Amount, account: GuardAccount): void {
    account.charge(amount)
    this.spent = plus(this.spent, amount)
    this.unconfirmed = plus(this.unconfirmed, amount)
  }

  /** Works `outstanding` out anew, after accounts were changed. */
  sumOutstanding(): void {
    let sum: Amount = 0
    for (const account of this.accounts.all()) sum = plus(sum, outstanding(account))
    setAmountAt(this.#numbers, this.#at + OUTSTANDING, sum)
    this.#unsettle()
  }
}

export type CounterKey = {
  readonly budget: string
  readonly scope: string
  readonly fromMs: number
}

export function counterKey({ window, scope }: Counter): string {
  return `${window.budget}|${window.fromMs}|${scope}`
}

/** Credit of guards that fell silent. */
export function heldOf(counter: Counter): Amount {
  let sum: Amount = 0
  for (const account of counter.accounts.all()) {
    if (account.held) sum = plus(sum, outstanding(account))
  }
  return sum
}

/** Credit that guards may still spend. */
export function lentOf(counter: Counter): Amount {
  return minus(counter.outstanding, heldOf(counter))
}

/** What guards say they used and the log has not shown: the measure of lost or late spans. */
export function unseenOf(counter: Counter): Amount {
  let sum: Amount = 0
  for (const account of counter.accounts.all()) sum = plus(sum, unseen(account))
  return sum
}

/** What can be lent: spent + outstanding + this never passes the limit. May be negative. */
export function lendable(counter: Counter, limit: Amount): Amount {
  return minus(limit, plus(counter.spent, counter.outstanding))
}

/** Whether some guard would like more credit than it has, or was told that it may not get any. */
export function isWanted(counter: Counter): boolean {
  return counter.accounts
    .all()
    .some(
      (account) =>
        !account.held &&
        (account.need > 0 || account.told !== 'open' || account.want > idle(account)),
    )
}

/** Whether credit is out on a counter, or asked for. */
export function isActive(counter: Counter): boolean {
  return counter.accounts.all().some((account) => !isSettled(account))
}

export function isOver({ window: { untilMs } }: Counter, logTimeMs: number): boolean {
  return untilMs !== null && untilMs <= logTimeMs
}
