import { createBackoff } from '../transport/backoff.ts'
import { quietly } from '../transport/quietly.ts'
import type { Deliver, Retry } from './delivery.ts'
import type { EncodedSpan } from './otlp-json.ts'
import { sendInHalves } from './send-in-halves.ts'
import type { Settle } from './send-in-halves.ts'
import { SpanBuffer } from './span-buffer.ts'
import type { SpanBufferLimits } from './span-buffer.ts'
import type { Kept, SpoolJournal } from './spool/spool-journal.ts'

export const REQUEST_SPANS_MAX = 512
export const REQUEST_BYTES_MAX = 1024 * 1024
/** After a request, others gather for so long: on a busy agent a request for each few spans costs more than they do. */
export const GATHER_MS = 10
export const BUFFER_LIMITS: SpanBufferLimits = { maxSpans: 10_000, maxBytes: 16 * 1024 * 1024 }

export type SenderSettings = {
  readonly guardId: string
  readonly deliver: Deliver
  /** Keeps the spans on disk until they are settled. */
  readonly journal: SpoolJournal | null
  readonly limits?: SpanBufferLimits
  /** Resolves after so many ms. A test passes its own. */
  readonly wait?: (delayMs: number) => Promise<void>
}

type Pending = Kept & { readonly bytes: number }

export type SenderStats = {
  /** Spans put into requests, each time they were. */
  readonly sent: number
  readonly acknowledged: number
  /** Of those acknowledged, how many the receiver has refused to count. */
  readonly rejected: number
  /** Recorded, and not acknowledged yet; 0 once closed. */
  readonly buffered: number
  /** On disk now, where they outlive this process: of those buffered, or once closed, left for others. */
  readonly spooled: number
  /** Given up: no room, refused by the receiver for good, or not even the disk to leave them on. */
  readonly dropped: number
}

/**
 * Sends spans until they are acknowledged. One request at a time: the first span goes at once, those that come while
 * it is under way, and shortly after, go together in the next. Nothing here throws, blocks or keeps the process alive.
 */
export class Sender {
  readonly #settings: SenderSettings
  readonly #buffer: SpanBuffer<Pending>
  readonly #wait: (delayMs: number) => Promise<void>
  readonly #backoff = { fast: createBackoff(200, 5_000), slow: createBackoff(1_000, 30_000) }
  readonly #counts = { sent: 0, acknowledged: 0, rejected: 0, spooled: 0, dropped: 0 }
  #running = false
  #closed = false

  constructor(settings: SenderSettings) {
    this.#settings = settings
    this.#buffer = new SpanBuffer(settings.limits ?? BUFFER_LIMITS)
    this.#wait = settings.wait ?? waitUnreferenced
  }

  add(span: EncodedSpan): void {
    const { bytes } = span
    // Once closed, only the journal can still take it.
    if (!this.#closed && !this.#buffer.hasRoomFor(bytes)) {
      this.#counts.dropped++
      return
    }
    const segment = this.#settings.journal?.append(span) ?? null
    if (segment !== null) this.#counts.spooled++
    if (this.#closed) {
      if (segment === null) this.#counts.dropped++
      return
    }
    this.#buffer.push({ span, bytes, segment })
    this.#start()
  }

  /** A span was lost before it came here. */
  countDropped(): void {
    this.#counts.dropped++
  }

  /** Stops, and leaves all that was not settled to the journal. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    const unsettled = this.#buffer.take(this.#buffer.size)
    this.#counts.spooled = this.#settings.journal?.close(unsettled) ?? 0
    this.#counts.dropped += unsettled.length - this.#counts.spooled
  }

  stats(): SenderStats {
    return { ...this.#counts, buffered: this.#buffer.size }
  }

  #start(): void {
    if (this.#running) return
    this.#running = true
    // After the app's own turn, so that a call's end does not pay for the request; and then all of the turn's spans
    // go together.
    quietly(() => setImmediate(() => void this.#run()))
  }

  async #run(): Promise<void> {
    try {
      while (this.#buffer.size > 0 && !this.#closed) {
        const retry = await this.#sendNext()
        if (retry === null) {
          this.#backoff.fast.reset()
          this.#backoff.slow.reset()
          if (this.#buffer.size < REQUEST_SPANS_MAX) await this.#wait(GATHER_MS)
        } else {
          await this.#wait(Math.max(this.#backoff[retry.pace].next(), retry.afterMs ?? 0))
        }
      }
    } catch {
      // A fault of ours. What is buffered stays, and goes with the next span or to the spool.
    }
    // In the same turn as the look at the buffer: a span that came in between would wait for the next one.
    this.#running = false
  }

  /** Returns what to wait for before the next. */
  async #sendNext(): Promise<Retry | null> {
    const { deliver, guardId } = this.#settings
    const batch = this.#buffer.peek(REQUEST_SPANS_MAX, REQUEST_BYTES_MAX)
    let taken = 0
    const settle: Settle = (count, fate, rejectedSpans) => {
      if (fate === 'acknowledged') taken += count
      this.#settle(count, fate, rejectedSpans)
    }
    const post = (pending: readonly Pending[]) => {
      this.#counts.sent += pending.length
      const spans = pending.map(({ span }) => span)
      return deliver({ spans, guardId, droppedSpans: this.#counts.dropped })
    }
    const retry = await sendInHalves(batch, post, settle)
    // A receiver that takes nothing at all is not to be asked as fast as it can say no.
    return retry ?? (taken > 0 ? null : { kind: 'retry', pace: 'slow', afterMs: null })
  }

  #settle(count: number, fate: 'acknowledged' | 'dropped', rejectedSpans: number): void {
    // Closed in the meantime: they were left to the spool, and are no longer ours to count.
    if (this.#closed) return
    this.#counts[fate] += count
    this.#counts.rejected += Math.min(rejectedSpans, count)
    for (const { segment } of this.#buffer.take(count)) {
      if (segment === null) continue
      this.#counts.spooled--
      this.#settings.journal?.settle(segment)
    }
  }
}

function waitUnreferenced(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref())
}
