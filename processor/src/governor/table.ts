/** A row of state. */
export type Row = {
  readonly key: string
  /** Rises from row to row, so that a restored table is in the same order. */
  readonly order: number
  /** Since the last snapshot. */
  isChanged: boolean
  /** It left its table: whoever still holds it has to look it up again. */
  isGone: boolean
}

/** What a row is in a snapshot; `key` goes beside it. */
export type Codec<Value extends Row> = {
  readonly encode: (row: Value) => { readonly order: number }
  readonly decode: (json: never, key: string) => Value
}

export type StateChange = { readonly key: string; readonly value: string | null }
export type StateRecord = readonly [key: string, value: string]

/**
 * A part of the governor's state: rows by key that remember which of them changed, so that a snapshot writes only
 * those. Whoever changes a row in place says so with `touch`.
 */
export class Table<Value extends Row> {
  readonly prefix: string
  readonly #codec: Codec<Value>
  readonly #rows = new Map<string, Value>()
  #changed: Value[] = []
  readonly #deleted = new Set<string>()

  constructor(prefix: string, codec: Codec<Value>) {
    this.prefix = `${prefix}/`
    this.#codec = codec
  }

  get size(): number {
    return this.#rows.size
  }

  get(key: string): Value | undefined {
    return this.#rows.get(key)
  }

  /** Puts a row in, in place of one of the same key. */
  set(row: Value): void {
    const before = this.#rows.get(row.key)
    if (before) before.isGone = true
    this.#rows.set(row.key, row)
    this.#deleted.delete(row.key)
    this.touch(row)
  }

  touch(row: Value): void {
    if (row.isChanged) return
    row.isChanged = true
    this.#changed.push(row)
  }

  delete(row: Value): void {
    if (row.isGone) return
    row.isGone = true
    this.#rows.delete(row.key)
    this.#deleted.add(row.key)
  }

  /** In the order of creation. */
  values(): IterableIterator<Value> {
    return this.#rows.values()
  }

  oldest(): Value | undefined {
    return this.#rows.values().next().value
  }

  /** What changed since the last call; `null` is a row that is gone. */
  takeChanges(): StateChange[] {
    const changes: StateChange[] = []
    for (const key of this.#deleted) changes.push({ key: this.prefix + key, value: null })
    for (const row of this.#changed) {
      row.isChanged = false
      if (row.isGone) continue
      const value = JSON.stringify(this.#codec.encode(row))
      changes.push({ key: this.prefix + row.key, value })
    }
    this.#deleted.clear()
    this.#changed = []
    return changes
  }

  /** Fills an empty table from what `takeChanges` gave, in any order. */
  restore(records: readonly StateRecord[]): void {
    const rows = records.map(([key, value]) =>
      this.#codec.decode(JSON.parse(value) as never, key.slice(this.prefix.length)),
    )
    rows.sort((a, b) => a.order - b.order)
    for (const row of rows) this.#rows.set(row.key, row)
  }
}

/** A codec for rows whose fields are all plain JSON. */
export function plainCodec<Value extends Row>(): Codec<Value> {
  return {
    encode: ({ key: _key, isChanged: _isChanged, isGone: _isGone, ...json }) => json,
    decode: (json: object, key: string) => ({ ...json, key, ...NEW_ROW }) as Value,
  }
}

/** The marks of a row that is not in a table yet. */
export const NEW_ROW = Object.freeze({ isChanged: false, isGone: false })
