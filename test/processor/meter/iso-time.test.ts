import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isoTime } from '../../../processor/src/meter/iso-time.ts'

test('every whole ms from 1970 to the year 9999 is written as Date writes it', () => {
  const last = Date.parse('9999-12-31T23:59:59.999Z')
  fc.assert(
    fc.property(fc.integer({ min: 0, max: last }), (timeMs) => {
      assert.equal(isoTime(timeMs), new Date(timeMs).toISOString())
    }),
    { numRuns: 2000 },
  )
  const edges = ['1970-01-01', '2000-02-29', '2000-03-01', '2100-02-28', '2100-03-01', '2024-12-31']
  for (const day of edges) {
    for (const clock of ['00:00:00.000', '23:59:59.999']) {
      assert.equal(isoTime(Date.parse(`${day}T${clock}Z`)), `${day}T${clock}Z`)
    }
  }
})
