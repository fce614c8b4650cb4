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
  const isForm =
    text.length >= 20 &&
    text[4] === '-' &&
    text[7] === '-' &&
    text[10] === 'T' &&
    text[13] === ':' &&
    text[16] === ':' &&
    text[text.length - 1] === 'Z'
  if (!isForm) return Number.NaN
  const days = daysFromCivil(digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2))
  const seconds = digits(text, 11, 2) * 3600 + digits(text, 14, 2) * 60 + digits(text, 17, 2)
  return days * DAY_MS + seconds * 1000 + fractionMs(text)
}

/** Of `.678Z` 678, of `.6Z` 600; what is finer is cut off. */
function fractionMs(text: string): number {
  const count = text.length - 21
  if (count === -1) return 0
  const power = POWERS[count]
  if (text[19] !== '.' || power === undefined) return Number.NaN
  return Math.floor((digits(text, 20, count) * 1000) / power)
}
/** Of ten, by how many digits a fraction may have. */
const POWERS = [undefined, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

function digits(text: string, from: number, count: number): number {
  let value = 0
  for (let at = from; at < from + count; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return value
}
