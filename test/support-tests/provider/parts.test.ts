import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import type { OutputPart } from '../../support/provider/plan.ts'
import { drawLognormal, seededRandom } from '../../support/provider/random.ts'
import { partSlices } from '../../support/provider/render/slices.ts'
import { Tokenizer } from '../../support/provider/tokenizer.ts'
import { firstWords, vocabulary, wordsText } from '../../support/provider/words.ts'

test('every word is one token, alone and after a space', () => {
  for (const word of vocabulary()) {
    assert.deepEqual([word, countTokens(word), countTokens(` ${word}`)], [word, 1, 1])
  }
})

test('a text of n words is n tokens, and so is any first part of it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 20_000 }), fc.integer(), fc.nat(), (count, seed, cut) => {
      const text = wordsText(count, seededRandom(seed))
      assert.equal(countTokens(text), count)
      const first = cut % (count + 1)
      assert.equal(countTokens(firstWords(text, first)), first)
    }),
    { numRuns: 30 },
  )
})

test('slices of a part join to its text and add up to its tokens', () => {
  const text = fc.string({ maxLength: 200 })
  fc.assert(
    fc.property(text, fc.nat(300), fc.integer({ min: 1, max: 20 }), (json, tokens, size) => {
      const part: OutputPart = { kind: 'tool', id: '1', name: 'f', json, tokens }
      const slices = [...partSlices(part, size)]
      assert.equal(slices.map((slice) => slice.text).join(''), json)
      assert.equal(
        slices.reduce((sum, slice) => sum + slice.tokens, 0),
        tokens,
      )
      assert.ok(slices.every((slice) => slice.tokens <= size))
    }),
  )
})

test('counting by pieces gives the count of the whole for texts with spaces', () => {
  const word = fc.stringMatching(/^[A-Za-z]{1,12}[.,!?]?$/)
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 600 }), (words) => {
      const text = words.join(' ')
      assert.equal(new Tokenizer().measure(text).tokens, countTokens(text))
    }),
    { numRuns: 40 },
  )
})

test('a long run without a space is counted in bounded time, and special tokens are plain text', () => {
  const tokenizer = new Tokenizer()
  const startedMs = performance.now()
  assert.ok(tokenizer.measure('字'.repeat(40_000)).tokens > 1000)
  assert.ok(performance.now() - startedMs < 2000)
  assert.ok(tokenizer.measure('<|endoftext|>').tokens > 1)
})

test('output lengths are heavy-tailed around their median', () => {
  const random = seededRandom(1)
  const draws = Array.from({ length: 4001 }, () => drawLognormal(random, { median: 100, sigma: 1 }))
  const sorted = draws.toSorted((a, b) => a - b)
  const median = sorted[2000] ?? 0
  assert.ok(median > 92 && median < 108, `median ${median}`)
  // exp(2.326) = 10.2 times the median at the 99th percentile.
  const p99 = sorted[3960] ?? 0
  assert.ok(p99 > 850 && p99 < 1250, `p99 ${p99}`)
})
