import { type Budget, CALENDAR_WINDOWS, type Zone } from '@tokenfuse/protocol'

/** Half open: `fromMs` belongs to it, `untilMs` does not; `null` is a window without end. */
export type Window = { readonly fromMs: number; readonly untilMs: number | null }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** A lifetime, and a window that ends now: what is counted in it does not begin anew. */
const UNBROKEN: Window = Object.freeze({ fromMs: 0, untilMs: null })

/**
 * The window that a time falls in. Calendar windows follow the zone's wall clock, so a day has 23 or 25 hours
 * where the clock changes. Hours are those of the wall clock, cut where it jumps by a part of an hour.
 * @param timeMs milliseconds since 1970, not before it
 */
export function windowAt(window: Budget['window'], timeMs: number, zone: Zone): Window {
  if (isUnbroken(window)) return UNBROKEN
  if (window === 'hour') return hourAt(timeMs, zone)
  const localMs = timeMs + offsetAt(zone, timeMs)
  const day = Math.floor(localMs / DAY_MS)
  const [fromDay, untilDay] = calendarDays(window, day)
  return { fromMs: midnight(fromDay, zone), untilMs: midnight(untilDay, zone) }
}

type UnbrokenWindow = Exclude<Budget['window'], (typeof CALENDAR_WINDOWS)[number]>

function isUnbroken(window: Budget['window']): window is UnbrokenWindow {
  return !(CALENDAR_WINDOWS as readonly string[]).includes(window)
}

function hourAt(timeMs: number, zone: Zone): Window {
  const localMs = timeMs + offsetAt(zone, timeMs)
  const fromMs = timeMs - (localMs - Math.floor(localMs / HOUR_MS) * HOUR_MS)
  const hour = { fromMs, untilMs: fromMs + HOUR_MS }
  for (const { fromMs: jumpMs } of zone.offsets.slice(1)) {
    if (jumpMs <= timeMs) hour.fromMs = Math.max(hour.fromMs, jumpMs)
    else hour.untilMs = Math.min(hour.untilMs, jumpMs)
  }
  return hour
}

/** The day, such as `2026-01-31`, that a time falls on in a zone. */
export function dayName(timeMs: number, zone: Zone): string {
  const { year, month, day } = civilFromDays(Math.floor((timeMs + offsetAt(zone, timeMs)) / DAY_MS))
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`
}

function calendarDays(
  window: 'day' | 'week' | 'month',
  day: number,
): [from: number, until: number] {
  if (window === 'day') return [day, day + 1]
  if (window === 'week') {
    // Day 0, the first of January 1970, was a Thursday: the fourth day of its week.
    const monday = day - ((((day + 3) % 7) + 7) % 7)
    return [monday, monday + 7]
  }
  const { year, month } = civilFromDays(day)
  const next = month === 12 ? { year: year + 1, month: 1 } : { year, month: month + 1 }
  return [daysFromCivil(year, month, 1), daysFromCivil(next.year, next.month, 1)]
}

/** What the zone's wall clock is ahead of UTC. */
export function offsetAt(zone: Zone, timeMs: number): number {
  let offsetMs = zone.offsets[0]?.offsetMs ?? 0
  for (const change of zone.offsets) {
    if (change.fromMs > timeMs) break
    offsetMs = change.offsetMs
  }
  return offsetMs
}

/** The first instant of a local day. Where the clock jumps over midnight, that is the jump. */
function midnight(day: number, zone: Zone): number {
  const localMs = day * DAY_MS
  let jumpMs: number | null = null
  const { offsets } = zone
  for (const [index, { offsetMs }] of offsets.entries()) {
    const startMs = index === 0 ? -Infinity : (offsets[index]?.fromMs ?? -Infinity)
    const endMs = offsets[index + 1]?.fromMs ?? Infinity
    const timeMs = localMs - offsetMs
    if (timeMs >= startMs && timeMs < endMs) return timeMs
    if (timeMs < startMs && jumpMs === null) jumpMs = startMs
  }
  return jumpMs ?? localMs
}

/** Days since 1970 to a date of the Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms"). */
export function civilFromDays(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day }
}

/** The reverse of `civilFromDays`, by the same source. */
export function daysFromCivil(year: number, month: number, day: number): number {
  const shiftedYear = month <= 2 ? year - 1 : year
  const era = Math.floor(shiftedYear / 400)
  const yearOfEra = shiftedYear - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}
