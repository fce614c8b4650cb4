import { type Amount, amountFrom, plus } from './amount.ts'
import { NEW_ROW, type Row, type StateChange, type StateRecord, Table } from './table.ts'

const MAX_OVERRIDES = 100_000

/** More credit for one scope of one budget for a while; `key` is its id. */
export type Override = Row & {
  readonly budget: string
  readonly scope: string
  readonly add: Amount
  readonly untilMs: number | null
  readonly reason: string
  readonly by: string
}

export type NewOverride = Omit<Override, 'isChanged' | 'isGone'>

/** The overrides in force, and what they add up to. */
export class Overrides {
  readonly #table = new Table<Override>('override', {
    encode: ({ key: _key, isChanged: _isChanged, isGone: _isGone, ...row }) => ({
      ...row,
      add: String(row.add),
    }),
    decode: (json: Omit<Override, 'add'> & { add: string }, key: string) => ({
      ...json,
      key,
      add: amountFrom(json.add),
      ...NEW_ROW,
    }),
  })
  /** By budget and scope. */
  readonly #added = new Map<string, Amount>()

  get prefix(): string {
    return this.#table.prefix
  }

  get isFull(): boolean {
    return this.#table.size >= MAX_OVERRIDES
  }

  /** What is added to the limit of a scope. */
  addedTo(budget: string, scope: string): Amount {
    if (this.#added.size === 0) return 0
    return this.#added.get(`${budget}|${scope}`) ?? 0
  }

  /** Puts one in, in place of one of the same id, which is given back. */
  set(override: NewOverride): Override | null {
    const before = this.#table.get(override.key) ?? null
    this.#table.set({ ...override, ...NEW_ROW })
    this.#sumUp()
    return before
  }

  /** When the next one ends; infinite for never. */
  nextEndMs(): number {
    let next = Infinity
    for (const { untilMs } of this.#table.values()) {
      if (untilMs !== null && untilMs < next) next = untilMs
    }
    return next
  }

  /** Takes out those that are over. */
  takeEnded(logTimeMs: number): Override[] {
    const ended = [...this.#table.values()].filter(
      ({ untilMs }) => untilMs !== null && untilMs <= logTimeMs,
    )
    for (const override of ended) this.#table.delete(override)
    if (ended.length > 0) this.#sumUp()
    return ended
  }

  takeChanges(): StateChange[] {
    return this.#table.takeChanges()
  }

  restore(records: readonly StateRecord[]): void {
    this.#table.restore(records)
    this.#sumUp()
  }

  #sumUp(): void {
    this.#added.clear()
    for (const { budget, scope, add } of this.#table.values()) {
      const key = `${budget}|${scope}`
      this.#added.set(key, plus(this.#added.get(key) ?? 0, add))
    }
  }
}
