import type { LogEntry, LogEvent } from '@tokenfuse/protocol'
import type { Effect } from './governor/effect.ts'
import { Governor } from './governor/governor.ts'
import type { EventLog } from './log/port.ts'

export type GovernorLoopListener = {
  /**
   * What an entry led to, in the order of the log.
   * @param isNew whether the entry was appended after this process began; others were told of before it ended
   */
  applied(entry: LogEntry, effects: readonly Effect[], isNew: boolean): void
  /** After each batch of so many entries. */
  batchApplied(entries: number): void
}

type Waiter = {
  readonly offset: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * The one coroutine that changes the governor: it follows the log and applies each entry in order. Everyone else
 * appends, waits until that is applied, and reads. An error in the governor ends the loop, so that nothing is stored
 * past an entry that was not applied.
 */
export class GovernorLoop {
  readonly governor: Governor
  readonly #log: EventLog
  readonly #newFromOffset: number
  #waiters: Waiter[] = []
  #failure: { readonly error: unknown } | null = null

  private constructor(log: EventLog, governor: Governor) {
    this.#log = log
    this.governor = governor
    this.#newFromOffset = log.stats().headOffset + 1
  }

  /** Restores the governor from the last snapshot. `run` then reads on from there. */
  static async restore(log: EventLog): Promise<GovernorLoop> {
    const state = await log.loadState()
    return new GovernorLoop(log, state ? Governor.restore(state.records) : new Governor())
  }

  /** Follows the log until it is closed. Rejects where an entry cannot be read or applied. */
  async run(listener: GovernorLoopListener): Promise<void> {
    try {
      for await (const entries of this.#log.follow(this.governor.offset + 1)) {
        for (const entry of entries) {
          const effects = this.governor.apply(entry)
          listener.applied(entry, effects, entry.offset >= this.#newFromOffset)
        }
        listener.batchApplied(entries.length)
        this.#resolveWaiters()
      }
    } catch (error) {
      this.#failure = { error }
      for (const waiter of this.#waiters) waiter.reject(error)
      this.#waiters = []
      throw error
    }
  }

  /** Resolves once everything that stood in the log at the start is applied. */
  caughtUp(): Promise<void> {
    return this.applied(this.#newFromOffset - 1)
  }

  /** Appends events and waits until the governor has applied them. */
  async submit(events: readonly LogEvent[]): Promise<readonly LogEntry[]> {
    const entries = await this.#log.append(events)
    const last = entries.at(-1)
    if (last) await this.applied(last.offset)
    return entries
  }

  /** Resolves once the entry at this offset is applied. */
  async applied(offset: number): Promise<void> {
    if (this.#failure) throw this.#failure.error
    if (offset <= this.governor.offset) return
    await new Promise<void>((resolve, reject) => this.#waiters.push({ offset, resolve, reject }))
  }

  #resolveWaiters(): void {
    const { offset } = this.governor
    const waiters = this.#waiters
    if (waiters.length === 0) return
    this.#waiters = waiters.filter((waiter) => waiter.offset > offset)
    for (const waiter of waiters) if (waiter.offset <= offset) waiter.resolve()
  }
}
