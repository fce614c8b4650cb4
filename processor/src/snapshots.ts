import { type DeadLetter, TokenfuseError } from '@tokenfuse/protocol'
import { Governor } from './governor/governor.ts'
import type { EventLog } from './log/port.ts'

/**
 * A snapshot blocks the process while it is written, some 20 us for each entry, so it is due after this many entries
 * whatever the interval.
 */
const MAX_ENTRIES = 500

export type SnapshotOptions = {
  readonly log: EventLog
  readonly governor: Governor
  readonly intervalMs: number
  /** Waited for before a state is stored: what has to be told of it must not be lost with the memory of it. */
  readonly told?: () => Promise<void>
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
  /** Applied since the last snapshot was begun. */
  #entries = 0
  #isSaving = false
  #saving: Promise<void> = Promise.resolve()

  constructor(options: SnapshotOptions) {
    this.#options = options
  }

  /** The state may have changed by so many entries: a snapshot follows within the interval. */
  stateChanged(entries: number): void {
    this.#entries += entries
    if (this.#entries >= MAX_ENTRIES) this.#saveInBackground()
    else this.#saveLater()
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

  #saveLater(): void {
    this.#timer ??= setTimeout(() => this.#saveInBackground(), this.#options.intervalMs).unref()
  }

  #saveInBackground(): void {
    if (this.#isSaving) return
    this.#isSaving = true
    const failed = (error: unknown) => {
      this.#options.onError(error)
      this.#saveLater()
    }
    void this.save()
      .catch(failed)
      .finally(() => {
        this.#isSaving = false
        if (this.#entries > 0) this.#saveLater()
      })
  }

  async #save(): Promise<void> {
    this.stop()
    this.#entries = 0
    const { log, governor, told } = this.#options
    for (const { key, value } of governor.changes()) this.#changes.set(key, value)
    const { offset } = governor
    const written = log.retentionDue() ? summaryOf(governor) : null
    const letters = this.#letters
    await told?.()
    await log.keepDeadLetters(letters)
    this.#letters = this.#letters.slice(letters.length)
    const changes = [...this.#changes].map(([key, value]) => ({ key, value }))
    await log.saveState(offset, changes)
    this.#changes.clear()
    if (written !== null) await this.#retain(offset, written)
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
