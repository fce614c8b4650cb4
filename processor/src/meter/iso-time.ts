const MS_PER_DAY = 86_400_000

/** `2026-01-02T03:04:05.678Z` for a time in whole ms since 1970, not before it. */
export function isoTime(timeMs: number): string {
  const day = Math.floor(timeMs / MS_PER_DAY)
  const { year, month, dayOfMonth } = civilDate(day)
  const inDay = timeMs - day * MS_PER_DAY
  const date = `${digits(year, 4)}-${digits(month, 2)}-${digits(dayOfMonth, 2)}`
  const clock = [inDay / 3_600_000, (inDay / 60_000) % 60, (inDay / 1000) % 60]
  const time = clock.map((value) => digits(Math.floor(value), 2)).join(':')
  return `${date}T${time}.${digits(inDay % 1000, 3)}Z`
}

/**
 * The Gregorian date of a day since 1970. Years begin in March here, so that the leap day ends one, and repeat every
 * 400 years, which are 146,097 days.
 */
function civilDate(day: number): { year: number; month: number; dayOfMonth: number } {
  const sinceMarch0 = day + 719_468 // days from 1 March of year 0 to 1970
  const era = Math.floor(sinceMarch0 / 146_097)
  const dayOfEra = sinceMarch0 - era * 146_097
  const leapDays =
    Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096)
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365)
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const marchMonth = Math.floor((5 * dayOfYear + 2) / 153) // months from March have 153 days in every five
  const dayOfMonth = dayOfYear - Math.floor((153 * marchMonth + 2) / 5) + 1
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
  return { year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfMonth }
}

const digits = (value: number, length: number) => String(value).padStart(length, '0')
