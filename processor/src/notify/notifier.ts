import type { Notification, NotifyStatus } from '@tokenfuse/protocol'
import type { MetricRegistry } from '../metrics/registry.ts'
import { Outbox } from './outbox.ts'
import { type Attempt, postWebhook } from './webhook.ts'

const FIRST_RETRY_MS = 1000
/** An attempt under way may take so long when the processor ends. */
const CLOSING_MS = 1000
const LONGEST_RETRY_MS = 300_000
/** What could not be told for so long is no news any more. */
const GIVE_UP_AFTER_MS = 86_400_000

export type NotifierOptions = {
  /** Where what waits is kept. */
  readonly path: string
  readonly metrics: MetricRegistry
  readonly log: (line: string) => void
  readonly firstRetryMs?: number
}

/** Tells people of what the governor found: at least once each, in order, and again while the webhook fails. */
export class Notifier {
  readonly #options: NotifierOptions
  readonly #outbox: Outbox
  #url: string | null = null
  #timer: NodeJS.Timeout | null = null
  #sending: Promise<void> | null = null
  #isClosed = false
  /** Gives up the attempt under way. */
  readonly #closing = new AbortController()
  #problem: string | null = null
  #sent = 0

  constructor(options: NotifierOptions) {
    this.#options = options
    this.#outbox = new Outbox(options.path)
  }

  /** Where to from now on; `null` for nowhere, and then what comes is left aside. */
  setTarget(url: string | null): void {
    if (url === this.#url) return
    this.#url = url
    this.#problem = null
    this.#sendSoon(0)
  }

  /** Takes one that is not known yet. */
  offer(notification: Notification): void {
    if (this.#url === null) return
    try {
      const dropped = this.#outbox.add(notification, Date.now())
      if (dropped === null) return
      if (dropped > 0) this.#options.metrics.add('notifications', ['dropped'], dropped)
    } catch (error) {
      this.#noteUnkept(error)
    }
    this.#sendSoon(0)
  }

  status(): NotifyStatus {
    return {
      to: this.#url === null ? null : new URL(this.#url).host,
      waiting: this.#outbox.size,
      sent: this.#sent,
      problem: this.#problem,
    }
  }

  /** What waits, or is being sent, is sent by the next process. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#timer) clearTimeout(this.#timer)
    const giveUp = setTimeout(() => this.#closing.abort(), CLOSING_MS)
    await this.#sending
    clearTimeout(giveUp)
  }

  #sendSoon(afterMs: number): void {
    if (this.#isClosed || this.#sending || this.#url === null || !this.#outbox.first()) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#sending = this.#send().then((waitMs) => {
        this.#sending = null
        this.#sendSoon(waitMs)
      })
    }, afterMs).unref()
  }

  /** @returns how long to wait before the next */
  async #send(): Promise<number> {
    const waiting = this.#outbox.first()
    if (waiting === null || this.#url === null) return 0
    const { signal } = this.#closing
    const attempt = await postWebhook(this.#url, waiting.notification, signal)
    if (signal.aborted && attempt.outcome === 'failed') return 0
    waiting.attempts++
    const isOld = Date.now() - waiting.sinceMs > GIVE_UP_AFTER_MS
    this.#note(attempt, isOld)
    if (attempt.outcome === 'failed' && !isOld) {
      return attempt.retryAfterMs ?? this.#backoffMs(waiting.attempts)
    }
    try {
      this.#outbox.shift()
    } catch (error) {
      this.#noteUnkept(error)
    }
    return 0
  }

  /** What waits is still in memory: the next process may tell something again, or not at all. */
  #noteUnkept(error: unknown): void {
    this.#problem = 'what waits to be told cannot be written to the data folder'
    this.#options.log(`${this.#problem}: ${String(error)}`)
  }

  #note(attempt: Attempt, isOld: boolean): void {
    const { metrics, log } = this.#options
    metrics.add('notifications', [attempt.outcome], 1)
    if (attempt.outcome === 'sent') {
      this.#sent++
      this.#problem = null
      return
    }
    this.#problem = attempt.reason
    const then = attempt.outcome === 'failed' && !isOld ? 'it is tried again' : 'it is given up'
    if (isOld) metrics.add('notifications', ['dropped'], 1)
    log(`a notification was not sent, ${then}: ${attempt.reason}`)
  }

  #backoffMs(attempts: number): number {
    const first = this.#options.firstRetryMs ?? FIRST_RETRY_MS
    const base = Math.min(LONGEST_RETRY_MS, first * 2 ** Math.min(attempts - 1, 20))
    // Spread, so that many processors do not come back at once.
    return base * (0.75 + Math.random() / 2)
  }
}
