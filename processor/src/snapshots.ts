import { type DeadLetter, TokenfuseError } from '@tokenfuse/protocol'
import { Governor } from './governor/governor.ts'
import type { EventLog } from './log/port.ts'

export type SnapshotOptions = {
  readonly log: EventLog
  readonly governor: Governor
  readonly intervalMs: number
  /** Told of a snapshot that could not be stored; it is tried again. */
  readonly onError: (error: unknown) => void
}

/** Stores the governor's state every few seconds while it changes, and lets old log go once that is verified. */
export class Snapshots {
  readonly #options: SnapshotOptions
  /** Changes taken from the governor and not stored yet. At most the state's own size. */
  readonly #changes = new Map<string, string | null>()
  #letters: DeadLetter[] = []
  #timer: NodeJS.Timeout | null = null
  #saving: Promise<void> = Promise.resolve()

  constructor(options: SnapshotOptions) {
    this.#options = options
  }

  /** The state has changed: a snapshot follows within the interval. */
  stateChanged(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = null
      this.save().catch((error: unknown) => {
        this.#options.onError(error)
        this.stateChanged()
      })
    }, this.#options.intervalMs).unref()
  }

  /** A letter that must be kept before the state that follows from it is stored. */
  keepLetter(letter: DeadLetter): void {
    this.#letters.push(letter)
  }

  /** Stores what changed. Calls wait for each other. */
  save(): Promise<void> {
    const saved = this.#saving.then(() => this.#save())
    this.#saving = saved.catch(() => {})
    return saved
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  async #save(): Promise<void> {
    const { log, governor } = this.#options
    for (const { key, value } of governor.changes()) this.#changes.set(key, value)
    const { offset } = governor
    const written = summaryOf(governor)
    const letters = this.#letters
    await log.keepDeadLetters(letters)
    this.#letters = this.#letters.slice(letters.length)
    const changes = [...this.#changes].map(([key, value]) => ({ key, value }))
    await log.saveState(offset, changes)
    this.#changes.clear()
    if (log.retentionDue()) await this.#retain(offset, written)
  }

  /** Lets old log go, but only when what was stored gives the same governor again. */
  async #retain(offset: number, written: string): Promise<void> {
    const { log } = this.#options
    const state = await log.loadState()
    const read = state && summaryOf(Governor.restore(state.records))
    if (read !== written) {
      throw new TokenfuseError(
        'log_corrupt',
        `the stored state of entry ${offset} differs from the one in force, so no log is deleted`,
        { fix: 'Keep a copy of the data folder and report this; the log itself is whole.' },
      )
    }
    await log.retain(offset)
  }
}

function summaryOf(governor: Governor): string {
  return JSON.stringify([
    governor.offset,
    governor.logTimeMs,
    governor.stateHash,
    governor.policy(),
    governor.total(),
    governor.budgets(),
    governor.decisions(),
  ])
}
