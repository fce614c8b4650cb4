import type { AccountReport } from '@tokenfuse/protocol'
import { type Amount, amountFrom, max, min, minus, plus, positive } from './amount.ts'
import { amountAt, setAmountAt } from './amount-cells.ts'
import { NumberRows } from './number-rows.ts'
import { type Rank, rankOf } from './scarcity.ts'

/** `waiting`: more may come, from calls in flight or recalled credit; `exhausted`: none will in this window. */
export type AccountState = 'open' | 'waiting' | 'exhausted'

/** What may still be seen without changing anything but sums; -1 where it has to be worked out. */
const QUIET = 0
/** Where each amount stands in an account's row; what every call reads comes first. */
const SEEN = 1
const CHARGED = 3
const LENT = 5
const RETURNED = 7
const USED = 9
const RESERVED = 11
const NEED = 13
const WANT = 15
const WIDTH = 17
const NORMAL = rankOf('normal')

export function accountRows(): NumberRows {
  return new NumberRows(WIDTH)
}

/**
 * The credit of one guard on one counter, in the budget's unit. Everything but `reserved`, `need` and `want` is a
 * sum since the account was opened and never falls, but for `charged`, which what is seen replaces.
 */
export class GuardAccount {
  readonly guard: string
  readonly #numbers: Float64Array
  readonly #at: number
  /** Log offset since which a call waits, so that the longest waiting is served first; 0 where none does. */
  waitingSince = 0
  /** Log time of the last change of `used`. */
  usedAtMs = 0
  /** The guard fell silent: the credit is neither lent again nor the guard's to spend. */
  held = false
  /** Log time at which credit was last asked back. */
  recalledAtMs = 0
  /** Of the calls that need or want credit. */
  rank: Rank = NORMAL
  /** What the guard was last told of its chances. */
  told: AccountState = 'open'
  readonly #rows: NumberRows
  readonly #row: number

  constructor(guard: string, rows: NumberRows) {
    this.guard = guard
    this.#rows = rows
    const { row, numbers, at } = rows.allocate()
    this.#row = row
    this.#numbers = numbers
    this.#at = at
  }

  /** The account is not to be used any more. */
  free(): void {
    this.#rows.free(this.#row)
  }

  /** Says nothing, but to read it brings the row near. */
  get firstNumber(): number {
    return this.#numbers[this.#at] as number
  }

  get lent(): Amount {
    return amountAt(this.#numbers, this.#at + LENT)
  }

  set lent(amount: Amount) {
    this.#set(LENT, amount)
  }

  get returned(): Amount {
    return amountAt(this.#numbers, this.#at + RETURNED)
  }

  set returned(amount: Amount) {
    this.#set(RETURNED, amount)
  }

  /** What the guard says its finished calls cost. */
  get used(): Amount {
    return amountAt(this.#numbers, this.#at + USED)
  }

  set used(amount: Amount) {
    this.#set(USED, amount)
  }

  /** What the guard says its calls in flight may cost at most. */
  get reserved(): Amount {
    return amountAt(this.#numbers, this.#at + RESERVED)
  }

  set reserved(amount: Amount) {
    this.#set(RESERVED, amount)
  }

  /** What its usage events cost. Only this moves money to the counter's `spent`. */
  get seen(): Amount {
    return amountAt(this.#numbers, this.#at + SEEN)
  }

  set seen(amount: Amount) {
    this.#set(SEEN, amount)
  }

  /** Booked as spent without having been seen; what is seen later takes its place. */
  get charged(): Amount {
    return amountAt(this.#numbers, this.#at + CHARGED)
  }

  set charged(amount: Amount) {
    this.#set(CHARGED, amount)
  }

  /** Idle credit with which its next waiting call could run; 0 where none waits. */
  get need(): Amount {
    return amountAt(this.#numbers, this.#at + NEED)
  }

  set need(amount: Amount) {
    this.#set(NEED, amount)
  }

  /** Idle credit that it would like in all. */
  get want(): Amount {
    return amountAt(this.#numbers, this.#at + WANT)
  }

  set want(amount: Amount) {
    this.#set(WANT, amount)
  }

  #set(place: number, amount: Amount): void {
    setAmountAt(this.#numbers, this.#at + place, amount)
    this.#numbers[this.#at + QUIET] = -1
  }

  /**
   * Books a usage event of the guard where nothing follows from it.
   * @returns whether that was so; else nothing has changed
   */
  seeQuietly(amount: number): boolean {
    const numbers = this.#numbers
    const quiet = (numbers[this.#at + QUIET] as number) - amount
    const seen = (numbers[this.#at + SEEN] as number) + amount
    if (quiet < 0 || seen > Number.MAX_SAFE_INTEGER) return false
    numbers[this.#at + QUIET] = quiet
    numbers[this.#at + SEEN] = seen
    return true
  }

  /** Works out for which usage events `seeQuietly` will do: as long as they are covered by what was lent. */
  settleDown(): void {
    const left = outstanding(this)
    const isPlain = this.charged === 0 && this.want === 0 && this.need === 0 && isNumber(this.seen)
    this.#numbers[this.#at + QUIET] = isPlain && isNumber(left) ? left : -1
  }

  /**
   * Books a usage event of the guard.
   * @returns by how much the counter's `spent` rises: less what was charged for it before it was seen
   */
  see(amount: Amount): Amount {
    this.seen = plus(this.seen, amount)
    const { charged } = this
    if (charged === 0) return amount
    const replaced = min(charged, amount)
    this.charged = minus(charged, replaced)
    return minus(amount, replaced)
  }

  /** Books an amount as spent that no usage event has shown. */
  charge(amount: Amount): void {
    this.charged = plus(this.charged, amount)
  }

  /** What is outstanding is the guard's no more. */
  release(): void {
    this.returned = plus(this.returned, outstanding(this))
  }

  /** Takes a report in. Sums only rise, so that a repeated or overtaken report changes nothing. */
  report(report: AccountReport, offset: number, logTimeMs: number): void {
    const used = amountFrom(report.used)
    if (used > this.used) {
      this.used = used
      this.usedAtMs = logTimeMs
    }
    this.reserved = amountFrom(report.reserved)
    this.need = amountFrom(report.need)
    this.want = max(amountFrom(report.want), this.need)
    this.rank = rankOf(report.criticality)
    // A guard cannot give back what it was never lent.
    this.returned = min(max(this.returned, amountFrom(report.returned)), this.lent)
    this.held = false
    if (this.need === 0) this.waitingSince = 0
    else if (this.waitingSince === 0) this.waitingSince = offset
  }

  /** The guard is gone: nothing is in flight, nothing is wanted. */
  close(): void {
    this.reserved = 0
    this.need = 0
    this.want = 0
    this.waitingSince = 0
    this.held = false
    this.release()
  }
}

const isNumber = (amount: Amount): amount is number => typeof amount === 'number'

/** Lent and neither returned nor spent: what the guard may still turn into spend. Never negative. */
export function outstanding({ lent, returned, seen, charged }: GuardAccount): Amount {
  return positive(minus(minus(lent, returned), plus(seen, charged)))
}

/** Lent and neither returned, nor spent, nor reserved: what the guard could give back. Never negative. */
export function idle({ lent, returned, used, seen, charged, reserved }: GuardAccount): Amount {
  const gone = max(used, plus(seen, charged))
  return positive(minus(minus(minus(lent, returned), gone), reserved))
}

/** What the guard says it used and no usage event has shown yet. */
export function unseen({ used, seen, charged }: GuardAccount): Amount {
  return positive(minus(used, plus(seen, charged)))
}

/** Whether nothing is lent, owed or asked for: nothing will change until the guard says something. */
export function isSettled(account: GuardAccount): boolean {
  return (
    account.need === 0 && account.want === 0 && outstanding(account) === 0 && unseen(account) === 0
  )
}
