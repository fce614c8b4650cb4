import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatCount, formatDuration, plural, showName } from '../../../cli/src/output/text.ts'

test('counts are grouped in thousands', () => {
  assert.deepEqual([0, 999, 1000, 1234567].map(formatCount), ['0', '999', '1,000', '1,234,567'])
  assert.equal(plural(1, 'call'), '1 call')
  assert.equal(plural(1200, 'call'), '1,200 calls')
})

test('durations are told in the unit that fits, and never as sixty of the smaller one', () => {
  const told = [0, 820, 999.4, 4200, 59_940, 59_960, 185_000, 3_600_000, 7_800_000]
  assert.deepEqual(told.map(formatDuration), [
    '0 ms',
    '820 ms',
    '999 ms',
    '4.2 s',
    '59.9 s',
    '1 min 0 s',
    '3 min 5 s',
    '1 h 0 min',
    '2 h 10 min',
  ])
})

const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0x10ffff }), fc.integer({ min: 0, max: 0xff })))
  .map((points) => String.fromCodePoint(...points))

test('a name from outside cannot move the cursor, colour the screen or turn the line round', () => {
  assert.equal(showName('\u001b[2Jgone'), '\u00b7[2Jgone')
  assert.equal(showName('a\u202eb\u0000c\nd'), 'a\u00b7b\u00b7c\u00b7d')
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 40 }), (name, max) => {
      const shown = showName(name, max)
      assert.doesNotMatch(shown, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
      assert.ok(Array.from(shown).length <= max)
    }),
  )
})
