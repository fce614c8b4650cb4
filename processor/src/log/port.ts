import type { DeadLetter, LogEntry, LogEvent, UsageEvent } from '@tokenfuse/protocol'

/** What the log holds, for people; cheap to ask. */
export type LogStats = {
  /** Offset of the newest entry; 0 for an empty log. */
  readonly headOffset: number
  /** Offset of the oldest entry still kept; `headOffset + 1` where none is. */
  readonly firstOffset: number
  /** `null` where the store does not tell. */
  readonly bytes: number | null
  /** All dead letters ever kept, those that had to make room for newer ones included. */
  readonly deadLetters: number
  /** Dead letters that had to make room. */
  readonly deadLettersDropped: number
}

/** A row of the governor's state, as it names and encodes it itself. */
export type StateChange = {
  readonly key: string
  /** `null` removes the row. */
  readonly value: string | null
}

export type StoredState = {
  /** The newest entry whose effect is in `records`. */
  readonly offset: number
  readonly records: Iterable<readonly [key: string, value: string]>
}

/**
 * The one ordered log, with what belongs beside it: snapshots of the state that was computed from it, and the input
 * that could not become an event. Offsets count from 1 without gaps. Every method that writes fails with
 * `log_unavailable` where the store cannot be written now; a later call may succeed. Then nothing of that call is
 * kept, or all of it where the store is elsewhere and its answer was lost: every event may stand in the log twice.
 */
export interface EventLog {
  /**
   * Adds events in order, each stamped with the time of the log, which never goes backwards. All or nothing, and
   * durable when it resolves. Calls that come together may share one commit; other events may stand between the
   * events of two calls, never between those of one.
   */
  append(events: readonly LogEvent[]): Promise<readonly LogEntry[]>

  /** As `append`, for input that could not become an event. A `source` with an `@` is one place and kept once. */
  keepDeadLetters(letters: readonly DeadLetter[]): Promise<void>

  /**
   * Every entry from an offset on, in order, in batches: those stored, then new ones as they are committed. Ends when
   * the log is closed.
   * @throws TokenfuseError `log_corrupt` where an entry is missing or cannot be read
   */
  follow(fromOffset: number): AsyncIterable<readonly LogEntry[]>

  /** The entry at an offset; `null` where the log does not reach that far, or does not any more. */
  entry(offset: number): Promise<LogEntry | null>

  /**
   * The call that a guard refused by itself, by the id of its verdict; `null` where the log does not hold it, or does
   * not any more.
   */
  refusedCall(verdictId: string): Promise<LogEntry<UsageEvent> | null>

  /** The last state saved, or `null`. The records are read while they are asked for; ask before anything is written. */
  loadState(): Promise<StoredState | null>

  /** Changes rows of the state and the offset they came from, in one transaction. Offsets never go backwards. */
  saveState(offset: number, changes: readonly StateChange[]): Promise<void>

  /** Whether there is more in the log than it is meant to keep. */
  retentionDue(): boolean

  /**
   * Deletes the oldest entries beyond what the log is meant to keep, and none newer than a state that was stored
   * and read back. Interrupted half-way, the oldest of them are gone and the rest are there.
   * @returns how many were deleted
   */
  retain(verifiedOffset: number): Promise<number>

  stats(): LogStats

  /** Writes what waits, ends the followers and lets go of the store. */
  close(): Promise<void>
}
