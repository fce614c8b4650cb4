import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type DeadLetter,
  type LogEntry,
  type LogEvent,
  TokenfuseError,
  type UsageEvent,
} from '@tokenfuse/protocol'
import { CompactCodec } from '../compact/codec.ts'
import { LiveEntries } from '../live-entries.ts'
import type { EventLog, LogStats, StateChange, StoredState } from '../port.ts'
import { inTransaction, openDatabase, usedBytes } from './database.ts'
import { DEAD_LETTER_LIMITS, type DeadLetterLimits, DeadLetterTable } from './dead-letters.ts'
import { EntryTable, type NewEntries } from './entry-table.ts'
import { fromSqliteError } from './errors.ts'
import { RefusalTable } from './refusal-table.ts'
import { StateTable } from './state-table.ts'

export type SqliteLogOptions = {
  readonly path: string
  /** How long entries are kept. Default: 30 days. */
  readonly retentionMs?: number
  /** How large the file may grow before the oldest entries go. Default: 2 GB. */
  readonly retentionBytes?: number
  /** How large the file may ever get; beyond it everything is refused as on a full disk. Default: no bound. */
  readonly maxBytes?: number
  readonly deadLetterLimits?: DeadLetterLimits
  /** The wall clock, milliseconds since 1970. */
  readonly now?: () => number
}

const DEFAULT_RETENTION_MS = 30 * 86_400_000
const DEFAULT_RETENTION_BYTES = 2 * 1024 ** 3
/** Deleting is begun when a share of this much is over, so that the verification before it is worth its while. */
const RETENTION_SLACK = 0.05

type WaitingCall = NewEntries & {
  readonly letters: readonly DeadLetter[]
  readonly resolve: (entries: readonly LogEntry[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * The event log in one SQLite file. Calls that arrive within one turn of the event loop, or while a commit runs
 * (which blocks the loop), share one transaction and so one flush of the disk.
 */
export class SqliteEventLog implements EventLog {
  readonly #path: string
  readonly #database: DatabaseSync
  readonly #codec = new CompactCodec()
  readonly #entries: EntryTable
  readonly #refusals: RefusalTable
  readonly #state: StateTable
  readonly #deadLetters: DeadLetterTable
  readonly #retentionMs: number
  readonly #retentionBytes: number
  readonly #now: () => number
  readonly #followers = new Set<LiveEntries>()
  #waiting: WaitingCall[] = []
  #flush: NodeJS.Immediate | null = null
  #closed = false

  /** @throws TokenfuseError `log_unavailable`, `log_corrupt` or `state_version` */
  constructor(options: SqliteLogOptions) {
    this.#path = options.path
    this.#retentionMs = options.retentionMs ?? DEFAULT_RETENTION_MS
    this.#retentionBytes = options.retentionBytes ?? DEFAULT_RETENTION_BYTES
    this.#now = options.now ?? Date.now
    const database = openDatabase(options.path, options.maxBytes ?? null)
    this.#database = database
    const deadLetterLimits = options.deadLetterLimits ?? DEAD_LETTER_LIMITS
    this.#entries = this.#guarded(() => new EntryTable(database, this.#codec))
    this.#refusals = this.#guarded(() => new RefusalTable(database))
    this.#state = this.#guarded(() => new StateTable(database))
    this.#deadLetters = this.#guarded(() => new DeadLetterTable(database, deadLetterLimits))
  }

  append(events: readonly LogEvent[]): Promise<readonly LogEntry[]> {
    return this.#enqueue(events, [])
  }

  async keepDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    if (letters.length > 0) await this.#enqueue([], letters)
  }

  async *follow(fromOffset: number): AsyncGenerator<readonly LogEntry[]> {
    const live = new LiveEntries()
    this.#followers.add(live)
    try {
      let next = fromOffset
      while (!this.#closed) {
        let batch = live.take(next)
        if (batch.length === 0) {
          if (next > this.#entries.headOffset) {
            await live.next()
            continue
          }
          const from = next
          batch = this.#guarded(() => this.#entries.read(from))
          // Reading blocks, so requests get their turn between two batches of a long log.
          await nextTurn()
        }
        next += batch.length
        yield batch
      }
    } finally {
      this.#followers.delete(live)
    }
  }

  async entry(offset: number): Promise<LogEntry | null> {
    return this.#guarded(() => this.#entries.find(offset))
  }

  async refusedCall(verdictId: string): Promise<LogEntry<UsageEvent> | null> {
    const entry = this.#guarded(() => {
      const offset = this.#refusals.find(verdictId)
      return offset === null ? null : this.#entries.find(offset)
    })
    return entry?.event.type === 'usage' ? { ...entry, event: entry.event } : null
  }

  async loadState(): Promise<StoredState | null> {
    return this.#state.load()
  }

  async saveState(offset: number, changes: readonly StateChange[]): Promise<void> {
    const committed = this.#transaction(() => this.#state.save(offset, changes))
    committed()
  }

  retentionDue(): boolean {
    return this.#isOver(1 + RETENTION_SLACK)
  }

  async retain(verifiedOffset: number): Promise<number> {
    const lastOffset = Math.min(verifiedOffset, this.#state.offset)
    let deleted = 0
    while (!this.#closed && this.#isOver(1)) {
      const beforeMs = this.#isTooLarge(1) ? Infinity : this.#now() - this.#retentionMs
      const count = this.#transaction(() => {
        const deletedEntries = this.#entries.deleteOldest(lastOffset, beforeMs)
        this.#refusals.deleteBefore(this.#entries.firstOffset)
        return deletedEntries
      })
      if (count === 0) break
      deleted += count
      await nextTurn()
    }
    return deleted
  }

  stats(): LogStats {
    return {
      headOffset: this.#entries.headOffset,
      firstOffset: this.#entries.firstOffset,
      bytes: usedBytes(this.#database),
      deadLetters: this.#deadLetters.kept,
      deadLettersDropped: this.#deadLetters.dropped,
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#commitWaiting()
    this.#closed = true
    for (const follower of this.#followers) follower.wake()
    this.#database.close()
  }

  #isOver(share: number): boolean {
    const beforeMs = this.#now() - this.#retentionMs * share
    return this.#isTooLarge(share) || this.#entries.holdsOlderThan(beforeMs)
  }

  #isTooLarge(share: number): boolean {
    return usedBytes(this.#database) > this.#retentionBytes * share
  }

  async #enqueue(
    events: readonly LogEvent[],
    letters: readonly DeadLetter[],
  ): Promise<readonly LogEntry[]> {
    if (this.#closed) throw new TokenfuseError('log_unavailable', 'the event log is closed')
    const payloads = events.map((event) => this.#codec.encode(event))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ events, payloads, letters, resolve, reject })
      this.#flush ??= setImmediate(() => this.#commitWaiting())
    })
  }

  #commitWaiting(): void {
    if (this.#flush) clearImmediate(this.#flush)
    this.#flush = null
    const calls = this.#waiting
    this.#waiting = []
    if (calls.length === 0) return
    try {
      const entries = this.#commit(calls)
      for (const [index, call] of calls.entries()) call.resolve(entries[index] ?? [])
    } catch (error) {
      for (const call of calls) call.reject(error)
    }
  }

  #commit(calls: readonly WaitingCall[]): LogEntry[][] {
    const logTimeMs = Math.max(this.#entries.logTimeMs, Math.floor(this.#now()))
    const letters = calls.flatMap((call) => call.letters)
    const { inserted, lettersCommitted } = this.#transaction(() => {
      const inserted = this.#entries.insert(calls, logTimeMs)
      for (const entries of inserted.entries)
        for (const entry of entries) this.#refusals.insert(entry)
      return { inserted, lettersCommitted: this.#deadLetters.add(letters, logTimeMs) }
    })
    inserted.committed()
    lettersCommitted()
    const entries = inserted.entries.flat()
    if (entries.length > 0) for (const follower of this.#followers) follower.push(entries)
    return inserted.entries
  }

  #transaction<Result>(work: () => Result): Result {
    return this.#guarded(() => inTransaction(this.#database, work))
  }

  #guarded<Result>(work: () => Result): Result {
    try {
      return work()
    } catch (error) {
      throw fromSqliteError(error, this.#path)
    }
  }
}
