import type { DatabaseSync } from 'node:sqlite'
import { type DeadLetter, type LogEntry, TokenfuseError } from '@tokenfuse/protocol'
import type { StateChange, StoredState } from '../port.ts'
import { inTransaction, openDatabase, readMeta, writeMeta } from './database.ts'
import { DEAD_LETTER_LIMITS, DeadLetterTable } from './dead-letters.ts'
import { fromSqliteError } from './errors.ts'
import { RefusalTable } from './refusal-table.ts'
import { StateTable } from './state-table.ts'

/**
 * The governor's state beside a log that is elsewhere: the same file as the embedded log's, without entries. Of dead
 * letters it holds where they came from, so that each is written once; of refused calls, where they stand.
 */
export class StateFile {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #state: StateTable
  readonly #letters: DeadLetterTable
  readonly #refusals: RefusalTable

  /**
   * @param log names the log that the state is of
   * @throws TokenfuseError `log_unavailable`, `log_corrupt`, `state_version`, or `log_mismatch` where the file holds
   *   the state of another log
   */
  constructor(path: string, log: string) {
    this.#path = path
    const database = openDatabase(path, null)
    this.#database = database
    try {
      const before = readMeta(database, 'log')
      if (before !== null && before !== log) throw mismatch(path, before, log)
      if (before === null) writeMeta(database, 'log', log)
      this.#state = new StateTable(database)
      this.#letters = new DeadLetterTable(database, DEAD_LETTER_LIMITS)
      this.#refusals = new RefusalTable(database)
    } catch (error) {
      database.close()
      throw fromSqliteError(error, path)
    }
  }

  /** The newest entry whose effect is stored; 0 where nothing is. */
  get offset(): number {
    return this.#state.offset
  }

  get letters(): { readonly kept: number; readonly dropped: number } {
    return this.#letters
  }

  load(): StoredState | null {
    return this.#state.load()
  }

  save(offset: number, changes: readonly StateChange[]): void {
    this.#transaction(() => this.#state.save(offset, changes))()
  }

  /** Those that were not noted before. */
  newLetters(letters: readonly DeadLetter[]): DeadLetter[] {
    return letters.filter(({ source }) => !this.#letters.holds(source))
  }

  /** Notes letters that are kept elsewhere, without their payload. */
  noteLetters(letters: readonly DeadLetter[], timeMs: number): void {
    const notes = letters.map((letter) => ({ ...letter, payload: new Uint8Array() }))
    this.#transaction(() => this.#letters.add(notes, timeMs))()
  }

  /** Notes which of these entries are calls that guards refused; again does no harm. */
  noteRefusals(entries: readonly LogEntry[]): void {
    const refused = entries.filter(({ event }) => event.type === 'usage' && event.verdict?.refusal)
    if (refused.length === 0) return
    this.#transaction(() => {
      for (const entry of refused) this.#refusals.insert(entry)
    })
  }

  /** Where a refused call stands, by the id of its verdict; `null` where it is not known. */
  refusalOffset(verdictId: string): number | null {
    return this.#refusals.find(verdictId)
  }

  /** Forgets the refused calls that the log has no more. */
  forgetRefusals(firstOffset: number): void {
    this.#transaction(() => this.#refusals.deleteBefore(firstOffset))
  }

  close(): void {
    this.#database.close()
  }

  #transaction<Result>(work: () => Result): Result {
    try {
      return inTransaction(this.#database, work)
    } catch (error) {
      throw fromSqliteError(error, this.#path)
    }
  }
}

function mismatch(path: string, before: string, log: string): TokenfuseError {
  return new TokenfuseError('log_mismatch', `${path} holds the state of ${before}, not of ${log}`, {
    fix: 'Name another data folder, or the Kafka that this one belongs to.',
  })
}
