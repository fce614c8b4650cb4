import { type Codec, type Row, type StateChange, type StateRecord, Table } from '../table.ts'

/** A row that knows when it was last used, in uses of its table, and the rows used before and after it. */
export type RecentRow = Row & {
  lastUse: number
  older: RecentRow | null
  newer: RecentRow | null
}

/** What of a row does not go into a snapshot. */
type Links = 'older' | 'newer'
export const NO_LINKS: Pick<RecentRow, Links> = { older: null, newer: null }

/**
 * Rows by key, and in the order of their last use, so that the one unused longest is at hand. The rows themselves form
 * the list, since a use costs less than a look into a map.
 */
export class RecentTable<Value extends RecentRow> {
  readonly #table: Table<Value>
  #oldest: Value | null = null
  #newest: Value | null = null

  constructor(prefix: string, codec: Codec<Value>) {
    this.#table = new Table<Value>(prefix, {
      encode: (row) => {
        const { older: _, newer: __, ...json } = codec.encode(row) as Partial<RecentRow>
        return json as { order: number }
      },
      decode: (json, key) => ({ ...codec.decode(json, key), ...NO_LINKS }),
    })
  }

  get prefix(): string {
    return this.#table.prefix
  }

  get size(): number {
    return this.#table.size
  }

  get(key: string): Value | undefined {
    return this.#table.get(key)
  }

  /** Follows from the rows alone, so that it is the same after a restart. */
  nextUse(): number {
    return (this.#newest?.lastUse ?? 0) + 1
  }

  /** Puts a new row in. Its `order` and `lastUse` are to be what `nextUse` gives. */
  add(row: Value): void {
    this.#table.set(row)
    this.#append(row)
  }

  /** Says that a row was used and changed. */
  use(row: Value): void {
    row.lastUse = this.nextUse()
    if (row !== this.#newest) {
      this.#unlink(row)
      this.#append(row)
    }
    this.#table.touch(row)
  }

  delete(row: Value): void {
    if (row.isGone) return
    this.#table.delete(row)
    this.#unlink(row)
  }

  #append(row: Value): void {
    row.older = this.#newest
    row.newer = null
    if (this.#newest) this.#newest.newer = row
    else this.#oldest = row
    this.#newest = row
  }

  #unlink(row: Value): void {
    if (row.older) row.older.newer = row.newer
    else this.#oldest = row.newer as Value | null
    if (row.newer) row.newer.older = row.older
    else this.#newest = row.older as Value | null
    row.older = null
    row.newer = null
  }

  /** The row that was not used for longest. */
  oldest(): Value | null {
    return this.#oldest
  }

  /** In the order of last use. */
  *values(): Generator<Value> {
    for (let row = this.#oldest; row; row = row.newer as Value | null) yield row
  }

  takeChanges(): StateChange[] {
    return this.#table.takeChanges()
  }

  restore(records: readonly StateRecord[]): void {
    this.#table.restore(records)
    const rows = [...this.#table.values()].sort((a, b) => a.lastUse - b.lastUse)
    for (const row of rows) this.#append(row)
  }
}
