import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { createBackoff, retryAfterMs } from '../../../instrumentation/src/transport/backoff.ts'

test('waits double up to a bound, with up to half taken off, and begin anew when it went well', () => {
  const least = createBackoff(100, 1000, () => 1)
  const most = createBackoff(100, 1000, () => 0)
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map(() => most.next()),
    [100, 200, 400, 800, 1000, 1000],
  )
  assert.deepEqual(
    [1, 2, 3].map(() => least.next()),
    [50, 100, 200],
  )
  most.reset()
  assert.equal(most.next(), 100)
})

test('Retry-After never gives a wait that is negative, endless or no number', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.date().map(String)), (text) => {
      const waitMs = retryAfterMs(text, 1_767_323_045_678)
      assert.ok(waitMs === null || (waitMs >= 0 && waitMs <= 600_000), String(waitMs))
    }),
  )
})
