import type { DatabaseSync } from 'node:sqlite'
import type { DeadLetter } from '@tokenfuse/protocol'
import { readMeta, writeMeta } from './database.ts'

export type DeadLetterLimits = { readonly maxLetters: number; readonly maxBytes: number }

export const DEAD_LETTER_LIMITS: DeadLetterLimits = {
  maxLetters: 10_000,
  maxBytes: 256 * 1024 ** 2,
}

type Counts = { kept: number; dropped: number; held: number; heldBytes: number }

/** The table of dead letters: bounded, the oldest make room and are counted. */
export class DeadLetterTable {
  readonly #database: DatabaseSync
  readonly #limits: DeadLetterLimits
  #counts: Counts

  constructor(database: DatabaseSync, limits: DeadLetterLimits) {
    this.#database = database
    this.#limits = limits
    const held = database
      .prepare('SELECT count(*) AS letters, total(length(payload)) AS bytes FROM dead_letters')
      .get()
    this.#counts = {
      kept: Number(readMeta(database, 'dead_letters_kept') ?? 0),
      dropped: Number(readMeta(database, 'dead_letters_dropped') ?? 0),
      held: Number(held?.['letters']),
      heldBytes: Number(held?.['bytes']),
    }
  }

  get kept(): number {
    return this.#counts.kept
  }

  get dropped(): number {
    return this.#counts.dropped
  }

  /** Whether there is a letter of this one place in a log. */
  holds(source: string): boolean {
    if (!source.includes('@')) return false
    const found = this.#database
      .prepare("SELECT 1 FROM dead_letters WHERE source = ? AND source GLOB '*@*'")
      .get(source)
    return found !== undefined
  }

  /**
   * Adds letters, inside a transaction of the caller's.
   * @returns what to call once that is committed
   */
  add(letters: readonly DeadLetter[], logTimeMs: number): () => void {
    if (letters.length === 0) return () => {}
    const counts = { ...this.#counts }
    const insert = this.#database.prepare(
      'INSERT OR IGNORE INTO dead_letters (log_time_ms, tenant, source, code, message, content_type, payload) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    for (const letter of letters) {
      const { tenant, source, code, message, contentType, payload } = letter
      const { changes } = insert.run(logTimeMs, tenant, source, code, message, contentType, payload)
      if (Number(changes) === 0) continue
      counts.kept++
      counts.held++
      counts.heldBytes += payload.byteLength
    }
    this.#makeRoom(counts)
    writeMeta(this.#database, 'dead_letters_kept', String(counts.kept))
    writeMeta(this.#database, 'dead_letters_dropped', String(counts.dropped))
    return () => {
      this.#counts = counts
    }
  }

  #makeRoom(counts: Counts): void {
    const { maxLetters, maxBytes } = this.#limits
    const removeOldest = this.#database.prepare(
      'DELETE FROM dead_letters WHERE id = (SELECT min(id) FROM dead_letters) RETURNING length(payload) AS bytes',
    )
    while (counts.held > maxLetters || counts.heldBytes > maxBytes) {
      const bytes = Number(removeOldest.get()?.['bytes'])
      counts.held--
      counts.heldBytes -= bytes
      counts.dropped++
    }
  }
}
