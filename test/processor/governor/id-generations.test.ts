import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { HORIZON_MS, IdGenerations } from '../../../processor/src/governor/id-generations.ts'
import { HOUR_MS, NOON_MS } from './governing.ts'

const id = (number: number) => ({ a: number, b: number * 7, c: 1, d: 0 })

test('an id is known where its span ended, for the whole horizon, and not beyond', () => {
  const ids = new IdGenerations('span')
  ids.add(id(1), NOON_MS, NOON_MS)
  for (const afterMs of [0, HOUR_MS, HORIZON_MS - HOUR_MS, HORIZON_MS]) {
    ids.forget(NOON_MS + afterMs)
    assert.ok(ids.has(id(1), NOON_MS, NOON_MS, NOON_MS + afterMs), `after ${afterMs} ms`)
  }
  assert.ok(!ids.has(id(2), NOON_MS, NOON_MS, NOON_MS))
  ids.forget(NOON_MS + HORIZON_MS + HOUR_MS)
  assert.equal(ids.size, 0)
  assert.ok(ids.knownFromMs > NOON_MS)
})

test('a parent is found by any time of its own, however long after its child it ended', () => {
  const ids = new IdGenerations('span')
  ids.add(id(1), NOON_MS, NOON_MS)
  assert.ok(ids.has(id(1), NOON_MS - HOUR_MS, NOON_MS + 5 * HOUR_MS, NOON_MS + 5 * HOUR_MS))
})

test('ids of spans that claim to be far ahead are known too', () => {
  const ids = new IdGenerations('span')
  const farMs = NOON_MS + 40 * HORIZON_MS
  ids.add(id(1), farMs, NOON_MS)
  assert.ok(ids.has(id(1), farMs, farMs, NOON_MS))
  ids.forget(NOON_MS + 3 * HORIZON_MS)
  assert.ok(ids.has(id(1), farMs, farMs, NOON_MS + 3 * HORIZON_MS))
})

test('beyond its bound the oldest hours go, are counted, and what ended then is not taken for known', () => {
  const ids = new IdGenerations('span', 100)
  for (let number = 0; number < 90; number++)
    ids.add(id(number + 1), NOON_MS - 5 * HOUR_MS, NOON_MS)
  for (let number = 0; number < 20; number++) ids.add(id(number + 1000), NOON_MS, NOON_MS)
  assert.equal(ids.evicted, 90)
  assert.equal(ids.size, 20)
  // Spans of then are late from now on: they may have been counted.
  assert.equal(ids.knownFromMs, NOON_MS - 4 * HOUR_MS)
})

test('the ids of the hours under way are kept however many they are', () => {
  const ids = new IdGenerations('span', 10)
  for (let number = 0; number < 50; number++) ids.add(id(number + 1), NOON_MS, NOON_MS)
  assert.equal(ids.size, 50)
  assert.equal(ids.evicted, 0)
})

test('restored from a snapshot taken anywhere it knows the same ids', () => {
  const additions = fc.array(
    fc.record({
      number: fc.integer({ min: 1, max: 50 }),
      hour: fc.integer({ min: -23, max: 3 }),
      laterMs: fc.integer({ min: 0, max: 2 * HOUR_MS }),
      snapshot: fc.boolean(),
    }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(additions, (added) => {
      const ids = new IdGenerations('span', 40)
      const stored = new Map<string, string>()
      let nowMs = NOON_MS
      const store = () => {
        for (const { key, value } of ids.takeChanges()) {
          if (value === null) stored.delete(key)
          else stored.set(key, value)
        }
      }
      for (const { number, hour, laterMs, snapshot } of added) {
        nowMs += laterMs
        ids.forget(nowMs)
        ids.add(id(number), nowMs + hour * HOUR_MS, nowMs)
        if (snapshot) store()
      }
      store()
      const restored = new IdGenerations('span', 40)
      restored.restore([...stored], ids.knownFromMs)
      assert.equal(restored.size, ids.size)
      for (let number = 1; number <= 50; number++) {
        const known = ids.has(id(number), 0, nowMs + HORIZON_MS, nowMs)
        assert.equal(restored.has(id(number), 0, nowMs + HORIZON_MS, nowMs), known)
      }
    }),
    { numRuns: 100 },
  )
})
