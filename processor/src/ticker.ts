import { DEFAULT_TENANT, type LogEvent } from '@tokenfuse/protocol'
import { type Governor, GOVERNOR_VERSION } from './governor/governor.ts'

const TICK_INTERVAL_MS = 1000
/** Timers hold no more than 2^31 ms; the governor is asked again after this in any case. */
const LONGEST_WAIT_MS = 3_600_000

export type TickerOptions = {
  readonly governor: Pick<Governor, 'tickDueMs' | 'logTimeMs' | 'stateHash' | 'offset'>
  readonly submit: (events: readonly LogEvent[]) => Promise<unknown>
  readonly now?: () => number
  /** Told of a tick that could not be written; it is tried again. */
  readonly onError: (error: unknown) => void
}

/** Appends a tick when the governor has something due, once a second at most, and never while nothing is. */
export class Ticker {
  readonly #options: TickerOptions
  readonly #now: () => number
  #timer: NodeJS.Timeout | null = null
  #timerAtMs = Infinity
  #stopped = false

  constructor(options: TickerOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** The state has changed: what is due is looked at within a second. */
  stateChanged(): void {
    this.#checkAt(this.#now() + TICK_INTERVAL_MS)
  }

  stop(): void {
    this.#stopped = true
    this.#clear()
  }

  #clear(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#timerAtMs = Infinity
  }

  #checkAt(atMs: number): void {
    // After the wall clock was set forward, or the machine slept, the timer is later than it was meant to be.
    const isLate = this.#timerAtMs <= this.#now()
    if (this.#stopped || (this.#timerAtMs <= atMs && !isLate)) return
    const dueMs = Math.min(atMs, this.#timerAtMs)
    this.#clear()
    const waitMs = Math.min(Math.max(0, dueMs - this.#now()), LONGEST_WAIT_MS)
    this.#timerAtMs = this.#now() + waitMs
    this.#timer = setTimeout(() => {
      this.#clear()
      this.#check().catch((error: unknown) => {
        this.#options.onError(error)
        this.stateChanged()
      })
    }, waitMs).unref()
  }

  async #check(): Promise<void> {
    const { governor, submit } = this.#options
    const dueMs = governor.tickDueMs()
    if (dueMs === null) return
    // The tick will be stamped with log time, which stands still while the wall clock is behind it.
    if (dueMs > Math.max(this.#now(), governor.logTimeMs)) {
      this.#checkAt(dueMs)
      return
    }
    await submit([
      {
        type: 'tick',
        v: 1,
        tenant: DEFAULT_TENANT,
        governorVersion: GOVERNOR_VERSION,
        stateHash: governor.stateHash,
        stateOffset: governor.offset,
      },
    ])
  }
}
