import type { Zone } from '../log-event.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** The offsets that a policy of some time needs: for calls of a year before, and windows of two years to come. */
export function zoneAround(name: string, timeMs: number): Zone {
  return zoneOffsets(name, timeMs - 400 * DAY_MS, timeMs + 800 * DAY_MS)
}

/**
 * The offsets of a time zone between two times, to the second. Offsets change at most once within six hours.
 * @param name an IANA name
 */
export function zoneOffsets(name: string, fromMs: number, untilMs: number): Zone {
  const offsetAt = offsetReader(name)
  const offsets = [{ fromMs, offsetMs: offsetAt(fromMs) }]
  let before = fromMs
  for (let at = fromMs + 6 * HOUR_MS; at <= untilMs; at += 6 * HOUR_MS) {
    const offsetMs = offsetAt(at)
    if (offsetMs !== offsets.at(-1)?.offsetMs) {
      offsets.push({ fromMs: changeBetween(before, at, offsetAt), offsetMs })
    }
    before = at
  }
  return { name, offsets }
}

function changeBetween(
  beforeMs: number,
  afterMs: number,
  offsetAt: (ms: number) => number,
): number {
  const old = offsetAt(beforeMs)
  let low = Math.floor(beforeMs / 1000)
  let high = Math.ceil(afterMs / 1000)
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (offsetAt(middle * 1000) === old) low = middle
    else high = middle
  }
  return high * 1000
}

function offsetReader(name: string): (ms: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    calendar: 'iso8601',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  return (ms) => {
    const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
    const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0
    const local = Date.UTC(
      part('year'),
      part('month') - 1,
      part('day'),
      part('hour'),
      part('minute'),
      part('second'),
    )
    return local - Math.floor(ms / 1000) * 1000
  }
}
