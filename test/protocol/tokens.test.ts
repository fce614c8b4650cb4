import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  addTokens,
  MAX_TOKENS_PER_CALL,
  type TokenCounts,
  tokenProblems,
  uncachedInput,
  UNKNOWN_TOKENS,
} from '@tokenfuse/protocol'
import fc from 'fast-check'

const count = fc.option(fc.nat(1_000_000))
const counts: fc.Arbitrary<TokenCounts> = fc.record(
  {
    input: count,
    cacheRead: count,
    cacheWrite: count,
    cacheWrite1h: count,
    output: count,
    reasoning: count,
  },
  { noNullPrototype: true },
)

test('input is its uncached and cached parts, and uncached is never negative', () => {
  const tokens = { ...UNKNOWN_TOKENS, input: 1000, cacheRead: 600, cacheWrite: 100 }
  assert.equal(uncachedInput(tokens), 300)
  assert.equal(uncachedInput({ ...tokens, cacheWrite1h: 200 }), 100)
  assert.equal(uncachedInput({ ...tokens, cacheRead: 5000 }), 0)
  assert.equal(uncachedInput(UNKNOWN_TOKENS), 0)
})

test('counts that hold have no problems; unknown ones are no problem', () => {
  assert.deepEqual(tokenProblems(UNKNOWN_TOKENS), [])
  assert.deepEqual(
    tokenProblems({
      input: 10,
      cacheRead: 4,
      cacheWrite: 3,
      cacheWrite1h: 3,
      output: 5,
      reasoning: 5,
    }),
    [],
  )
  assert.deepEqual(tokenProblems({ ...UNKNOWN_TOKENS, input: MAX_TOKENS_PER_CALL }), [])
})

test('each broken invariant is named', () => {
  const rows: [tokens: Partial<TokenCounts>, problem: string][] = [
    [{ input: 1.5 }, 'token_count_not_whole'],
    [{ output: Number.NaN }, 'token_count_not_whole'],
    [{ output: Number.POSITIVE_INFINITY }, 'token_count_not_whole'],
    [{ cacheRead: -1 }, 'token_count_negative'],
    [{ input: MAX_TOKENS_PER_CALL + 1 }, 'token_count_absurd'],
    [{ input: 10, cacheRead: 6, cacheWrite: 5 }, 'cache_exceeds_input'],
    [{ output: 10, reasoning: 11 }, 'reasoning_exceeds_output'],
  ]
  for (const [tokens, problem] of rows) {
    const problems: readonly string[] = tokenProblems({ ...UNKNOWN_TOKENS, ...tokens })
    assert.ok(problems.includes(problem), `${problem} is not among ${problems.join()}`)
  }
})

test('a sum is the same in any order, and unknown only where all were unknown', () => {
  fc.assert(
    fc.property(counts, counts, counts, (a, b, c) => {
      assert.deepEqual(addTokens(a, b), addTokens(b, a))
      assert.deepEqual(addTokens(addTokens(a, b), c), addTokens(a, addTokens(b, c)))
      assert.deepEqual(addTokens(a, UNKNOWN_TOKENS), a)
    }),
  )
})
