import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CALENDAR_WINDOWS, type Zone, zoneOffsets } from '@tokenfuse/protocol'
import fc from 'fast-check'
import { dayName, type Window, windowAt } from '../../../processor/src/governor/windows.ts'

const HOUR_MS = 3_600_000
const at = (time: string) => Date.parse(time)
const zoneOf = (name: string, from = '2026-01-01', until = '2027-06-01') =>
  zoneOffsets(name, at(from), at(until))

const hours = ({ fromMs, untilMs }: Window) => ((untilMs ?? Infinity) - fromMs) / HOUR_MS

/** `from until` in UTC, minutes. */
const span = ({ fromMs, untilMs }: Window) =>
  [fromMs, untilMs ?? 0].map((ms) => new Date(ms).toISOString().slice(0, 16)).join(' ')

test('a day has 23 hours where summer time begins and 25 where it ends, the week around it 167 and 169', () => {
  const berlin = zoneOf('Europe/Berlin')
  const rows = [
    ['2026-03-28T12:00Z', 24, 167], // Saturday before
    ['2026-03-29T12:00Z', 23, 167], // last Sunday of March
    ['2026-03-30T12:00Z', 24, 168],
    ['2026-10-25T12:00Z', 25, 169], // last Sunday of October
  ] as const
  for (const [time, day, week] of rows) {
    assert.equal(hours(windowAt('day', at(time), berlin)), day, time)
    assert.equal(hours(windowAt('week', at(time), berlin)), week, time)
  }
  // 31 days less the hour that March has not
  assert.equal(hours(windowAt('month', at('2026-03-10T12:00Z'), berlin)), 31 * 24 - 1)
})

test('days begin at local midnight, weeks on Monday, months on the first', () => {
  const berlin = zoneOf('Europe/Berlin')
  const rows = [
    // 23:30 UTC is half past midnight of the next day there
    ['day', '2026-01-14T23:30Z', '2026-01-14T23:00 2026-01-15T23:00'],
    ['day', '2026-01-14T22:59Z', '2026-01-13T23:00 2026-01-14T23:00'],
    ['week', '2026-01-18T22:59Z', '2026-01-11T23:00 2026-01-18T23:00'], // Sunday night
    ['week', '2026-01-18T23:00Z', '2026-01-18T23:00 2026-01-25T23:00'],
    ['month', '2026-01-31T23:00Z', '2026-01-31T23:00 2026-02-28T23:00'],
    ['month', '2026-12-31T22:59Z', '2026-11-30T23:00 2026-12-31T23:00'],
  ] as const
  for (const [window, time, expected] of rows) {
    assert.equal(span(windowAt(window, at(time), berlin)), expected, `${window} of ${time}`)
  }
})

test('a leap year has its day, and a year of a full century that is none has not', () => {
  const utc: Zone = { name: 'UTC', offsets: [{ fromMs: 0, offsetMs: 0 }] }
  assert.equal(hours(windowAt('month', at('2028-02-10T00:00Z'), utc)) / 24, 29)
  assert.equal(hours(windowAt('month', at('2026-02-10T00:00Z'), utc)) / 24, 28)
  assert.equal(hours(windowAt('month', at('2100-02-10T00:00Z'), utc)) / 24, 28)
  assert.equal(hours(windowAt('month', at('2000-02-10T00:00Z'), utc)) / 24, 29)
})

test('in zones of half an hour, hours begin at half past', () => {
  const kolkata = zoneOf('Asia/Kolkata')
  assert.equal(
    span(windowAt('hour', at('2026-01-05T12:10Z'), kolkata)),
    '2026-01-05T11:30 2026-01-05T12:30',
  )
  assert.equal(
    span(windowAt('day', at('2026-01-05T18:30Z'), kolkata)),
    '2026-01-05T18:30 2026-01-06T18:30',
  )
})

test('where the clock jumps by half an hour the hour is cut there, so that no call counts in two', () => {
  const island = zoneOf('Australia/Lord_Howe')
  // 15:00 UTC on 4 April is 2:00 there, and then 1:30
  const rows = [
    ['2026-04-04T14:59Z', '2026-04-04T14:00 2026-04-04T15:00'],
    ['2026-04-04T15:00Z', '2026-04-04T15:00 2026-04-04T15:30'],
    ['2026-04-04T15:30Z', '2026-04-04T15:30 2026-04-04T16:30'],
  ] as const
  for (const [time, expected] of rows) {
    assert.equal(span(windowAt('hour', at(time), island)), expected, time)
  }
  assert.equal(hours(windowAt('day', at('2026-04-04T20:00Z'), island)), 24.5)
  assert.equal(hours(windowAt('day', at('2026-10-04T00:00Z'), island)), 23.5)
})

test('where the clock jumps over midnight the day begins with the jump', () => {
  const beirut = zoneOf('Asia/Beirut')
  // On 29 March there is no 0:00: at 22:00 UTC the clock goes from 23:59 to 1:00.
  assert.equal(
    span(windowAt('day', at('2026-03-29T10:00Z'), beirut)),
    '2026-03-28T22:00 2026-03-29T21:00',
  )
  const apia = zoneOf('Pacific/Apia', '2011-12-01', '2012-01-31')
  // It left out the whole of 30 December.
  assert.equal(dayName(at('2011-12-30T09:59Z'), apia), '2011-12-29')
  assert.equal(dayName(at('2011-12-30T10:00Z'), apia), '2011-12-31')
  assert.equal(
    span(windowAt('day', at('2011-12-30T10:00Z'), apia)),
    '2011-12-30T10:00 2011-12-31T10:00',
  )
})

test('in any zone the windows of a kind follow each other without gap or overlap, and days are named as calendars do', () => {
  const names = [
    'Europe/Berlin',
    'America/New_York',
    'America/St_Johns',
    'America/Havana',
    'Africa/Cairo',
    'Africa/Casablanca',
    'Asia/Beirut',
    'Asia/Kathmandu',
    'Australia/Lord_Howe',
    'Pacific/Apia',
    'Pacific/Kiritimati',
    'UTC',
  ]
  const [fromMs, untilMs] = [at('2026-01-01T00:00Z'), at('2027-01-01T00:00Z')]
  for (const name of names) {
    const zone = zoneOffsets(name, fromMs - 4e9, untilMs + 4e9)
    const calendar = new Intl.DateTimeFormat('sv-SE', { timeZone: name })
    fc.assert(
      fc.property(fc.integer({ min: fromMs, max: untilMs }), (timeMs) => {
        assert.equal(dayName(timeMs, zone), calendar.format(timeMs))
        for (const kind of CALENDAR_WINDOWS) {
          const window = windowAt(kind, timeMs, zone)
          const endMs = window.untilMs ?? 0
          assert.ok(window.fromMs <= timeMs && timeMs < endMs, `${kind} in ${name}`)
          assert.deepEqual(windowAt(kind, window.fromMs, zone), window)
          assert.deepEqual(windowAt(kind, endMs - 1, zone), window)
          assert.equal(windowAt(kind, endMs, zone).fromMs, endMs)
        }
      }),
      { numRuns: 150 },
    )
  }
})

test('a lifetime has no end and holds every time', () => {
  const utc: Zone = { name: 'UTC', offsets: [{ fromMs: 0, offsetMs: 0 }] }
  assert.deepEqual(windowAt('lifetime', at('2026-01-05T00:00Z'), utc), { fromMs: 0, untilMs: null })
})
