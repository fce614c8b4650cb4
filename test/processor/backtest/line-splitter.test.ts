import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineSplitter } from '../../../processor/src/backtest/line-splitter.ts'

function split(bytes: Uint8Array, cuts: readonly number[]): (string | null)[] {
  const splitter = new LineSplitter()
  const lines: (string | null)[] = []
  let from = 0
  for (const cut of [...cuts.toSorted((a, b) => a - b), bytes.length]) {
    lines.push(...splitter.push(bytes.subarray(from, cut)))
    from = cut
  }
  return [...lines, ...splitter.end()]
}

test('lines are whole wherever the text was cut, in a character too, and the last need not end', () => {
  const line = fc.string({ unit: fc.constantFrom('a', '\u20ac', '\u{1f98a}', '\r', ' ') })
  fc.assert(
    fc.property(
      fc.array(line, { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      fc.array(fc.nat({ max: 60 }), { maxLength: 8 }),
      (lines, ends, cuts) => {
        const text = lines.join('\n') + (ends ? '\n' : '')
        const bytes = new TextEncoder().encode(text)
        // A last line with nothing in it is none, as in every tool that reads lines.
        const expected = ends || lines.at(-1) !== '' ? lines : lines.slice(0, -1)
        assert.deepEqual(
          split(
            bytes,
            cuts.map((cut) => Math.min(cut, bytes.length)),
          ),
          expected,
        )
      },
    ),
    { numRuns: 300 },
  )
})

test('a line that never ends is left out, takes no memory, and the next is read', () => {
  const piece = new TextEncoder().encode('x'.repeat(1_000_000))
  const splitter = new LineSplitter()
  assert.deepEqual(splitter.push(new TextEncoder().encode('first\n')), ['first'])
  for (let count = 0; count < 20; count++) assert.deepEqual(splitter.push(piece), [])
  assert.deepEqual(splitter.push(new TextEncoder().encode('x\nnext\nlast')), [null, 'next'])
  assert.deepEqual(splitter.end(), ['last'])
  for (let count = 0; count < 5; count++) splitter.push(piece)
  assert.deepEqual(splitter.end(), [null])
})
