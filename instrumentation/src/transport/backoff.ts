/** However long a server asks us to wait, more than this would be silence. */
const RETRY_AFTER_MAX_MS = 600_000

export type Backoff = {
  /** The next wait in ms: doubling, a random half of it taken off so that many processes do not return at once. */
  next(): number
  reset(): void
}

export function createBackoff(
  firstMs: number,
  maxMs: number,
  random: () => number = Math.random,
): Backoff {
  let waitMs = firstMs
  return {
    next() {
      const jittered = waitMs * (1 - random() / 2)
      waitMs = Math.min(waitMs * 2, maxMs)
      return jittered
    },
    reset() {
      waitMs = firstMs
    },
  }
}

/** What a `Retry-After` header asks for, seconds or a date, in ms from `nowMs`; `null` where there is none. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null
  const text = header.trim()
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  if (Number.isNaN(waitMs)) return null
  return Math.min(Math.max(waitMs, 0), RETRY_AFTER_MAX_MS)
}
