import { InvalidArgumentError } from 'commander'

const MILLISECONDS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/**
 * Reads a time such as `2026-01-31`, `2026-01-31T12:00Z` or `7d`, which is so long ago.
 * @returns milliseconds since 1970
 * @throws InvalidArgumentError
 */
export function readMoment(text: string): number {
  const ago = /^([1-9]\d{0,4})([mhd])$/.exec(text)
  if (ago) return Date.now() - Number(ago[1]) * MILLISECONDS[ago[2] as 'm' | 'h' | 'd']
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text)
  const timeMs = isTime ? Date.parse(text) : Number.NaN
  if (Number.isFinite(timeMs)) return timeMs
  throw new InvalidArgumentError(
    'Use a time such as 2026-01-31 or 2026-01-31T12:00Z, or 7d for so long ago.',
  )
}
