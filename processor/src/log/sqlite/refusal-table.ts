import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { LogEntry } from '@tokenfuse/protocol'

/** Where in the log the calls stand that guards refused by themselves, by the ids of their verdicts. */
export class RefusalTable {
  readonly #insert: StatementSync
  readonly #select: StatementSync
  readonly #delete: StatementSync

  constructor(database: DatabaseSync) {
    // A span that was sent twice is in the log twice; the first of them was counted.
    this.#insert = database.prepare('INSERT OR IGNORE INTO refusals VALUES (?, ?)')
    this.#select = database.prepare('SELECT offset FROM refusals WHERE id = ?')
    this.#delete = database.prepare('DELETE FROM refusals WHERE offset < ?')
  }

  /** Inside a transaction of the caller's. */
  insert({ event, offset }: LogEntry): void {
    if (event.type !== 'usage' || !event.verdict?.refusal) return
    const { decision } = event.verdict
    if (decision !== null) this.#insert.run(decision, offset)
  }

  /** The offset of a call; `null` where it is not known. */
  find(verdictId: string): number | null {
    const offset = this.#select.get(verdictId)?.['offset']
    return typeof offset === 'number' ? offset : null
  }

  /** Inside a transaction of the caller's. */
  deleteBefore(offset: number): void {
    this.#delete.run(offset)
  }
}
