/** A row of state. `order` is where the log stood when it came to be, so that a restored table is in the same order. */
export type Row = { readonly order: number }

export type Codec<Value> = {
  readonly encode: (value: Value) => unknown
  readonly decode: (json: never) => Value
}

export type StateChange = { readonly key: string; readonly value: string | null }

/**
 * A part of the governor's state: rows by key that remember which of them changed, so that a snapshot writes only
 * those. Whoever changes a row in place says so with `touch`.
 */
export class Table<Value extends Row> {
  readonly prefix: string
  readonly #codec: Codec<Value>
  readonly #rows = new Map<string, Value>()
  readonly #changed = new Set<string>()

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

  set(key: string, value: Value): void {
    this.#rows.set(key, value)
    this.#changed.add(key)
  }

  touch(key: string): void {
    this.#changed.add(key)
  }

  delete(key: string): void {
    if (this.#rows.delete(key)) this.#changed.add(key)
  }

  /** In the order of creation. */
  entries(): IterableIterator<[string, Value]> {
    return this.#rows.entries()
  }

  values(): IterableIterator<Value> {
    return this.#rows.values()
  }

  /** The oldest row's key. */
  oldest(): string | undefined {
    return this.#rows.keys().next().value
  }

  /** What changed since the last call; `null` is a row that is gone. */
  takeChanges(): StateChange[] {
    const changes: StateChange[] = []
    for (const key of this.#changed) {
      const row = this.#rows.get(key)
      const value = row === undefined ? null : JSON.stringify(this.#codec.encode(row))
      changes.push({ key: this.prefix + key, value })
    }
    this.#changed.clear()
    return changes
  }

  /** Fills an empty table from what `takeChanges` gave, in any order. */
  restore(records: readonly (readonly [key: string, value: string])[]): void {
    const rows = records.map(
      ([key, value]) =>
        [key.slice(this.prefix.length), this.#codec.decode(JSON.parse(value) as never)] as const,
    )
    rows.sort(([keyA, a], [keyB, b]) => a.order - b.order || (keyA < keyB ? -1 : 1))
    for (const [key, row] of rows) this.#rows.set(key, row)
  }
}

type Jsonable<Value> = { [Key in keyof Value]: Value[Key] extends bigint ? string : Value[Key] }

/** A codec for flat rows: the named fields are bigint and travel as decimal strings. */
export function bigintCodec<Value extends Row>(
  ...fields: readonly {
    [Key in keyof Value]: Value[Key] extends bigint ? Key : never
  }[keyof Value][]
): Codec<Value> {
  return {
    encode: (value) => {
      const json: Record<string, unknown> = { ...value }
      for (const field of fields) json[String(field)] = String(value[field])
      return json
    },
    decode: (json: Jsonable<Value>) => {
      const value: Record<string, unknown> = { ...json }
      for (const field of fields) value[String(field)] = BigInt(json[field] as string)
      return value as Value
    },
  }
}
