import type { DatabaseSync } from 'node:sqlite'
import type { StateChange, StoredState } from '../port.ts'
import { readMeta, writeMeta } from './database.ts'

/** The table of the governor's state, and the offset it came from. */
export class StateTable {
  readonly #database: DatabaseSync
  #offset: number | null

  constructor(database: DatabaseSync) {
    this.#database = database
    const offset = readMeta(database, 'state_offset')
    this.#offset = offset === null ? null : Number(offset)
  }

  /** The newest entry whose effect is stored; 0 where nothing is. */
  get offset(): number {
    return this.#offset ?? 0
  }

  load(): StoredState | null {
    return this.#offset === null ? null : { offset: this.#offset, records: this.#records() }
  }

  /**
   * Changes rows, inside a transaction of the caller's.
   * @returns what to call once that is committed
   */
  save(offset: number, changes: readonly StateChange[]): () => void {
    if (offset < this.offset) {
      throw new RangeError(`state of ${offset} is older than the stored one of ${this.offset}`)
    }
    const put = this.#database.prepare('INSERT OR REPLACE INTO state VALUES (?, ?)')
    const remove = this.#database.prepare('DELETE FROM state WHERE key = ?')
    for (const { key, value } of changes) {
      if (value === null) remove.run(key)
      else put.run(key, value)
    }
    writeMeta(this.#database, 'state_offset', String(offset))
    return () => {
      this.#offset = offset
    }
  }

  *#records(): Generator<readonly [string, string]> {
    for (const row of this.#database.prepare('SELECT key, value FROM state').iterate()) {
      yield [String(row['key']), String(row['value'])]
    }
  }
}
