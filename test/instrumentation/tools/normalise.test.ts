import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '../../../instrumentation/src/tools/canonical.ts'
import { normaliseResult } from '../../../instrumentation/src/tools/normalise.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'

test('what changes from run to run is the same for every run', () => {
  const pairs: [string, string][] = [
    ['job 550e8400-e29b-41d4-a716-446655440000 ok', 'job 6ba7b810-9dad-11d1-80b4-00c04fd430c8 ok'],
    ['at 2026-01-02T03:04:05.678Z done', 'at 2026-11-24 22:01:59+01:00 done'],
    ['on 2026-01-02', 'on 2025-12-31'],
    ['10:15 all well', '9:07:33 PM all well'],
    ['id call_x7f2k9q1Zw0 done', 'id call_Q9w8e7r6t5y4 done'],
    ['commit 9fceb02d0ae598e95dc9', 'commit 1b2c3d4e5f60718293a4'],
    ['at 0x7ffe1234 failed', 'at 0x1f failed'],
    ['time 1767225845123', 'time 1767225999999'],
    ['took 12ms', 'took 1.5 seconds'],
    ['killed pid 4711', 'killed pid: 99'],
    ['{"b":1,"a":[1, 2]}', '{ "a": [1,2], "b": 1 }'],
    ['spaces  and\n\nlines', 'spaces and lines'],
  ]
  for (const [one, other] of pairs) assert.equal(normaliseResult(one), normaliseResult(other), one)
})

test('what a tool found stays told apart', () => {
  const pairs: [string, string][] = [
    ['3 tests failed', '4 tests failed'],
    ['price 1299', 'price 1399'],
    ['deadbeef', 'facade'],
    ['no such file: a.ts', 'no such file: b.ts'],
    ['exit code 1', 'exit code 0'],
    ['[1,2]', '[2,1]'],
  ]
  for (const [one, other] of pairs) assert.notEqual(normaliseResult(one), normaliseResult(other))
})

test('arguments are the same in whatever order and spacing they are written', () => {
  assert.equal(canonicalJson('{"b":{"y":1,"x":null},"a":"1"}'), '{"a":"1","b":{"x":null,"y":1}}')
  assert.equal(canonicalJson(' { "a" : 1 } '), canonicalJson('{"a":1}'))
  assert.notEqual(canonicalJson('{"a":1}'), canonicalJson('{"a":"1"}'))
  for (const text of ['', 'plain', '{broken', '['.repeat(100_000)]) {
    assert.equal(canonicalJson(text), text)
  }
})

test('hostile results take time linear in their length', () => {
  const hostile = ['1', 'a', 'f0', '-', ':', ' ', '2026-', '1.', 'a_', '0x', '"', '\u4e2d']
  for (const unit of hostile) {
    const startMs = performance.now()
    normaliseResult(unit.repeat(65_536 / unit.length))
    const tookMs = performance.now() - startMs
    assert.ok(tookMs < 500, `${JSON.stringify(unit)} took ${tookMs} ms`)
  }
})

test('no result makes it throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
      assert.equal(typeof normaliseResult(text), 'string')
    }),
    { interruptAfterTimeLimit: FUZZ_MS / 2, numRuns: 100_000 },
  )
})
