import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type LogEntry, type LogEvent, TokenfuseError } from '@tokenfuse/protocol'
import type { CompactCodec } from '../compact/codec.ts'

const READ_BATCH = 1000
const DELETE_BATCH = 5000

export type NewEntries = { readonly events: readonly LogEvent[]; readonly payloads: string[] }

/** The table of entries: contiguous offsets, of which the oldest may have been deleted and the newest never is. */
export class EntryTable {
  readonly #database: DatabaseSync
  readonly #codec: CompactCodec
  readonly #insert: StatementSync
  readonly #select: StatementSync
  #firstOffset: number
  #headOffset: number
  #logTimeMs: number

  constructor(database: DatabaseSync, codec: CompactCodec) {
    this.#database = database
    this.#codec = codec
    this.#insert = database.prepare('INSERT INTO events VALUES (?, ?, ?, ?)')
    this.#select = database.prepare(
      `SELECT offset, log_time_ms, payload FROM events WHERE offset >= ? ORDER BY offset LIMIT ${READ_BATCH}`,
    )
    const newest = database
      .prepare('SELECT offset, log_time_ms FROM events ORDER BY offset DESC LIMIT 1')
      .get()
    this.#headOffset = Number(newest?.['offset'] ?? 0)
    this.#logTimeMs = Number(newest?.['log_time_ms'] ?? 0)
    this.#firstOffset = this.#readFirstOffset()
  }

  get firstOffset(): number {
    return this.#firstOffset
  }

  get headOffset(): number {
    return this.#headOffset
  }

  /** Time of the newest entry; 0 for an empty log. */
  get logTimeMs(): number {
    return this.#logTimeMs
  }

  /**
   * Inserts what several calls bring, inside a transaction of the caller's.
   * @returns the entries of each call, and what to do once that is committed
   */
  insert(
    calls: readonly NewEntries[],
    logTimeMs: number,
  ): { entries: LogEntry[][]; committed: () => void } {
    let offset = this.#headOffset
    const entries = calls.map(({ events, payloads }) =>
      events.map((event, index) => {
        offset++
        this.#insert.run(offset, logTimeMs, event.type, payloads[index] ?? '')
        return { offset, logTimeMs, event }
      }),
    )
    const committed = () => {
      this.#headOffset = offset
      this.#logTimeMs = logTimeMs
    }
    return { entries, committed }
  }

  /** Up to 1000 entries, at least one. The first is the one asked for, which must not be beyond the newest. */
  read(fromOffset: number): LogEntry[] {
    const rows = this.#select.all(fromOffset)
    if (rows.length === 0) throw missing(fromOffset, this.#headOffset + 1)
    return rows.map((row, index) => {
      const offset = Number(row['offset'])
      if (offset !== fromOffset + index) throw missing(fromOffset + index, offset)
      const logTimeMs = Number(row['log_time_ms'])
      return { offset, logTimeMs, event: this.#codec.decode(String(row['payload']), offset) }
    })
  }

  /** One entry, or `null` where there is none at this offset. */
  find(offset: number): LogEntry | null {
    if (offset < this.#firstOffset || offset > this.#headOffset) return null
    return this.read(offset)[0] ?? null
  }

  /** Whether the oldest entry was taken before a time, milliseconds since 1970. The newest alone is never old. */
  holdsOlderThan(timeMs: number): boolean {
    if (this.#firstOffset >= this.#headOffset) return false
    const oldest = this.#database
      .prepare('SELECT log_time_ms FROM events ORDER BY offset LIMIT 1')
      .get()
    return Number(oldest?.['log_time_ms']) < timeMs
  }

  /** Deletes up to 5000 of the oldest entries that were taken before a time and stand at or before an offset. */
  deleteOldest(lastOffset: number, beforeMs: number): number {
    const last = Math.min(lastOffset, this.#headOffset - 1, this.#firstOffset + DELETE_BATCH - 1)
    const { changes } = this.#database
      .prepare('DELETE FROM events WHERE offset <= ? AND log_time_ms < ?')
      .run(last, beforeMs)
    this.#firstOffset = this.#readFirstOffset()
    return Number(changes)
  }

  #readFirstOffset(): number {
    const first = this.#database.prepare('SELECT min(offset) AS first FROM events').get()?.['first']
    return typeof first === 'number' ? first : this.#headOffset + 1
  }
}

function missing(wanted: number, found: number): TokenfuseError {
  return new TokenfuseError(
    'log_corrupt',
    `entries ${wanted} to ${found - 1} of the event log are missing`,
    { fix: 'Restore the data folder from a copy.' },
  )
}
