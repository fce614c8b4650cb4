import { type Amount, amountFrom, plus } from './amount.ts'
import { NEW_ROW, type Row, type StateChange, type StateRecord, Table } from './table.ts'

/** Into how many buckets a window is cut: spend leaves at most a sixtieth of the window late, and never early. */
const BUCKETS = 60
/** Beyond this a scope's buckets are put together, so that its spend leaves later. */
const MAX_ROWS = 2_000_000

/** A rolling window in whole buckets. */
export type RollingPlan = { readonly windowMs: number; readonly bucketMs: number }

export function rollingPlan(windowMs: number): RollingPlan {
  return { windowMs, bucketMs: Math.ceil(windowMs / BUCKETS) }
}

/** What one scope spent in one bucket. */
type RollingRow = Row & {
  readonly budget: string
  readonly scope: string
  /** Log time at which it is of no window any more. */
  readonly leavesAtMs: number
  amount: Amount
}

export type LeavingSpend = Pick<RollingRow, 'budget' | 'scope' | 'amount'>

/** When the spend of rolling windows leaves them. What is in a bucket leaves when the youngest of it may. */
export class RollingSpend {
  readonly #table: Table<RollingRow>
  /** By budget and the time at which they leave, then by scope. */
  readonly #leaving = new Map<string, Map<number, Map<string, RollingRow>>>()
  readonly #nextOrder: () => number
  readonly #maxRows: number
  /** Buckets that were put together with a later one. */
  merged = 0

  constructor({ nextOrder, maxRows }: { nextOrder: () => number; maxRows?: number }) {
    this.#nextOrder = nextOrder
    this.#maxRows = maxRows ?? MAX_ROWS
    this.#table = new Table<RollingRow>('rolling', {
      encode: ({ order, budget, scope, leavesAtMs, amount }) => {
        return { order, budget, scope, leavesAtMs, amount: String(amount) }
      },
      decode: (json: Omit<RollingRow, 'amount'> & { amount: string }, key: string) => {
        return { ...json, key, amount: amountFrom(json.amount), ...NEW_ROW }
      },
    })
  }

  get prefix(): string {
    return this.#table.prefix
  }

  /** Adds what was spent at a time that is within the window. */
  add(budget: string, scope: string, plan: RollingPlan, timeMs: number, amount: Amount): void {
    if (amount === 0) return
    const leavesAtMs = leavesAt(plan, timeMs)
    const known = this.#leaving.get(budget)?.get(leavesAtMs)?.get(scope)
    if (known) {
      known.amount = plus(known.amount, amount)
      this.#table.touch(known)
      return
    }
    const latest = this.#table.size >= this.#maxRows ? this.#latest(budget, scope) : null
    if (latest === null) return this.#put(budget, scope, leavesAtMs, amount)
    this.merged++
    this.#remove(latest)
    const later = Math.max(latest.leavesAtMs, leavesAtMs)
    this.#put(budget, scope, later, plus(latest.amount, amount))
  }

  #put(budget: string, scope: string, leavesAtMs: number, amount: Amount): void {
    const key = `${budget}|${leavesAtMs}|${scope}`
    const row = { key, order: this.#nextOrder(), budget, scope, leavesAtMs, amount, ...NEW_ROW }
    this.#table.set(row)
    this.#link(row)
  }

  #link(row: RollingRow): void {
    const { budget, leavesAtMs, scope } = row
    let times = this.#leaving.get(budget)
    if (!times) this.#leaving.set(budget, (times = new Map()))
    const rows = times.get(leavesAtMs)
    if (rows) rows.set(scope, row)
    else times.set(leavesAtMs, new Map([[scope, row]]))
  }

  #remove(row: RollingRow): void {
    const { budget, leavesAtMs, scope } = row
    this.#table.delete(row)
    const times = this.#leaving.get(budget)
    const rows = times?.get(leavesAtMs)
    rows?.delete(scope)
    if (rows?.size === 0) times?.delete(leavesAtMs)
    if (times?.size === 0) this.#leaving.delete(budget)
  }

  #latest(budget: string, scope: string): RollingRow | null {
    let latest: RollingRow | null = null
    for (const rows of this.#leaving.get(budget)?.values() ?? []) {
      const row = rows.get(scope)
      if (row && (latest === null || row.leavesAtMs > latest.leavesAtMs)) latest = row
    }
    return latest
  }

  /** Log time at which something leaves next; infinite for never. */
  nextLeaveMs(): number {
    let next = Infinity
    for (const times of this.#leaving.values()) {
      for (const leavesAtMs of times.keys()) next = Math.min(next, leavesAtMs)
    }
    return next
  }

  /** Takes out what leaves its window by a time, at most so many of it, the earliest first. */
  takeLeaving(logTimeMs: number, max: number): LeavingSpend[] {
    const taken: RollingRow[] = []
    const due = [...this.#leaving.values()]
      .flatMap((times) => [...times])
      .filter(([leavesAtMs]) => leavesAtMs <= logTimeMs)
      .sort(([a], [b]) => a - b)
    for (const [, rows] of due) {
      for (const row of rows.values()) {
        if (taken.length === max) return taken
        this.#remove(row)
        taken.push(row)
      }
    }
    return taken
  }

  /** The counter of a scope is gone. */
  forget(budget: string, scope: string): void {
    for (const rows of [...(this.#leaving.get(budget)?.values() ?? [])]) {
      const row = rows.get(scope)
      if (row) this.#remove(row)
    }
  }

  takeChanges(): StateChange[] {
    return this.#table.takeChanges()
  }

  restore(records: readonly StateRecord[]): void {
    this.#table.restore(records)
    for (const row of this.#table.values()) this.#link(row)
  }
}

/** Whether what was spent at a time still counts. */
export function isWithinRolling(plan: RollingPlan, timeMs: number, logTimeMs: number): boolean {
  return leavesAt(plan, timeMs) > logTimeMs
}

function leavesAt({ windowMs, bucketMs }: RollingPlan, timeMs: number): number {
  return (Math.floor(timeMs / bucketMs) + 1) * bucketMs + windowMs
}
