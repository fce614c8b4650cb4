import type { Now } from './credit/ask.ts'

/** What time sources a clock reads; a test passes its own. Both in milliseconds. */
export type TimeSources = { readonly monotonicMs: () => number; readonly wallMs: () => number }

const SYSTEM: TimeSources = { monotonicMs: () => performance.now(), wallMs: () => Date.now() }

/**
 * The guard's time. Log time is learned from the governor's answers, so a wrong wall clock on this machine changes
 * nothing. What has elapsed is what either clock shows, whichever is more: a machine that slept may have lost its
 * credit in the meantime, and one clock stands still in some sleeps, the other jumps when it is set.
 */
export class GuardClock {
  readonly #sources: TimeSources
  #elapsedMs = 0
  #monotonicMs: number
  #wallMs: number
  /** Log time less monotonic time. */
  #offsetMs: number
  #bestRoundTripMs = Number.POSITIVE_INFINITY
  #learnedAtMs = 0

  constructor(sources: TimeSources = SYSTEM) {
    this.#sources = sources
    this.#monotonicMs = sources.monotonicMs()
    this.#wallMs = sources.wallMs()
    this.#offsetMs = this.#wallMs - this.#monotonicMs
  }

  now(): Omit<Now, 'reachable'> {
    const monotonicMs = this.#sources.monotonicMs()
    const wallMs = this.#sources.wallMs()
    this.#elapsedMs += Math.max(0, monotonicMs - this.#monotonicMs, wallMs - this.#wallMs)
    this.#monotonicMs = monotonicMs
    this.#wallMs = wallMs
    return { logMs: monotonicMs + this.#offsetMs, elapsedMs: this.#elapsedMs }
  }

  /**
   * Learns log time from an answer: it was taken between sending and receiving. Of several answers within a minute
   * the one with the shortest way says most.
   * @param logTimeMs the governor's clock in the answer
   * @param sentMonotonicMs when the question was sent, by `monotonicMs`
   */
  learn(logTimeMs: number, sentMonotonicMs: number): void {
    const receivedMs = this.#sources.monotonicMs()
    const roundTripMs = receivedMs - sentMonotonicMs
    const isOld = receivedMs - this.#learnedAtMs > 60_000
    const disagrees = Math.abs(logTimeMs - (receivedMs + this.#offsetMs)) > roundTripMs + 1
    if (!isOld && !disagrees && roundTripMs > this.#bestRoundTripMs) return
    this.#bestRoundTripMs = roundTripMs
    this.#learnedAtMs = receivedMs
    this.#offsetMs = logTimeMs - (sentMonotonicMs + roundTripMs / 2)
  }

  monotonicMs(): number {
    return this.#sources.monotonicMs()
  }
}
