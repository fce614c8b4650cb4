import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cutLongRuns, RUN_LENGTH_MAX } from '../../../instrumentation/src/estimate/pieces.ts'

test('prose is not cut, long runs are, and nothing is lost', () => {
  const prose = 'Some words, and then\n  some more. '.repeat(100)
  assert.deepEqual(cutLongRuns(prose), [prose])
  assert.deepEqual(cutLongRuns(''), [])
  assert.deepEqual(
    cutLongRuns(`a ${'中'.repeat(300)}`).map((piece) => piece.length),
    [130, 128, 44],
  )
  assert.equal(cutLongRuns(' '.repeat(1000)).length, 8)
})

test('the pieces are the text, no piece has a longer run, and no character is split', () => {
  const unit = fc.constantFrom('a', ' ', '\n', '中', '\u{1F600}')
  const run = fc.tuple(unit, fc.nat(300)).map(([text, times]) => text.repeat(times))
  fc.assert(
    fc.property(fc.array(run, { maxLength: 6 }), (runs) => {
      const text = runs.join('')
      const pieces = cutLongRuns(text)
      assert.equal(pieces.join(''), text)
      // One more, where the cut would have split a character of two.
      const tooLong = new RegExp(`\\S{${RUN_LENGTH_MAX + 2}}|\\s{${RUN_LENGTH_MAX + 2}}`)
      for (const piece of pieces) assert.ok(piece.isWellFormed() && !tooLong.test(piece))
    }),
  )
})
