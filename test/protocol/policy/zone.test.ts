import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Zone, zoneOffsets } from '@tokenfuse/protocol'
import fc from 'fast-check'

const HOUR_MS = 3_600_000

const at = (time: string) => Date.parse(time)

/** `time +hours` of each offset. */
function changes({ offsets }: Zone): string[] {
  return offsets.map(
    ({ fromMs, offsetMs }) => `${new Date(fromMs).toISOString()} ${offsetMs / HOUR_MS}`,
  )
}

test('summer time begins and ends at the second at which it does', () => {
  assert.deepEqual(
    changes(zoneOffsets('Europe/Berlin', at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z'))),
    [
      '2026-01-01T00:00:00.000Z 1',
      '2026-03-29T01:00:00.000Z 2', // last Sunday of March, 1:00 UTC
      '2026-10-25T01:00:00.000Z 1', // last Sunday of October, 1:00 UTC
    ],
  )
})

test('zones of half an hour, without summer time, and over the date line are exact', () => {
  assert.deepEqual(
    changes(
      zoneOffsets('Australia/Lord_Howe', at('2026-01-01T00:00:00Z'), at('2026-12-01T00:00:00Z')),
    ),
    [
      '2026-01-01T00:00:00.000Z 11',
      '2026-04-04T15:00:00.000Z 10.5', // first Sunday of April, 2:00 there
      '2026-10-03T15:30:00.000Z 11', // first Sunday of October, 2:00 there
    ],
  )
  assert.deepEqual(
    changes(zoneOffsets('Asia/Kolkata', at('2026-01-01T00:00:00Z'), at('2027-01-01T00:00:00Z'))),
    ['2026-01-01T00:00:00.000Z 5.5'],
  )
  assert.deepEqual(
    changes(zoneOffsets('Pacific/Apia', at('2011-12-01T00:00:00Z'), at('2012-01-31T00:00:00Z'))),
    ['2011-12-01T00:00:00.000Z -10', '2011-12-30T10:00:00.000Z 14'], // it left out 30 December
  )
})

test('UTC never changes', () => {
  const zone = zoneOffsets('UTC', at('2026-01-01T00:00:00Z'), at('2030-01-01T00:00:00Z'))
  assert.deepEqual(zone, {
    name: 'UTC',
    offsets: [{ fromMs: at('2026-01-01T00:00:00Z'), offsetMs: 0 }],
  })
})

test('at any time the offset in force gives the local time that the zone tables give', () => {
  const fromMs = at('2026-01-01T00:00:00.123Z')
  const untilMs = fromMs + 366 * 24 * HOUR_MS
  for (const name of ['America/New_York', 'Africa/Casablanca', 'Asia/Tehran', 'America/St_Johns']) {
    const { offsets } = zoneOffsets(name, fromMs, untilMs)
    const local = new Intl.DateTimeFormat('sv-SE', {
      timeZone: name,
      dateStyle: 'short',
      timeStyle: 'medium',
    })
    fc.assert(
      fc.property(fc.integer({ min: fromMs, max: untilMs }), (ms) => {
        const inForce = offsets.findLast((offset) => offset.fromMs <= ms)
        assert.ok(inForce)
        const text = new Date(ms + inForce.offsetMs).toISOString().slice(0, 19).replace('T', ' ')
        assert.equal(text, local.format(ms), name)
      }),
    )
  }
})
