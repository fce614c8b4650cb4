import { civilFromDays, daysFromCivil } from './windows.ts'

const DAY_MS = 86_400_000

const two = (value: number) => String(value).padStart(2, '0')

/** ISO 8601 in UTC with milliseconds, by arithmetic alone, so that every replica writes the same text. */
export function isoFromMs(timeMs: number): string {
  const days = Math.floor(timeMs / DAY_MS)
  const rest = Math.floor(timeMs) - days * DAY_MS
  const { year, month, day } = civilFromDays(days)
  const seconds = Math.floor(rest / 1000)
  const clock = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(two)
  const milliseconds = String(rest % 1000).padStart(3, '0')
  return `${year}-${two(month)}-${two(day)}T${clock.join(':')}.${milliseconds}Z`
}

/**
 * Milliseconds since 1970 of an ISO 8601 time in UTC, as usage events carry it (`2026-01-02T03:04:05.678Z`).
 * @returns NaN where the text is not of that form
 */
export function msFromIso(text: string): number {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z$/.exec(text)
  if (!match) return Number.NaN
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number)
  const days = daysFromCivil(year ?? 0, month ?? 0, day ?? 0)
  const fraction = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3))
  return days * DAY_MS + ((hour ?? 0) * 3600 + (minute ?? 0) * 60 + (second ?? 0)) * 1000 + fraction
}
