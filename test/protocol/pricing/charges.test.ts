import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  chargesFor,
  type Rate,
  type TokenCounts,
  UNKNOWN_TOKENS,
  type UnitPrice,
  type UsagePart,
} from '@tokenfuse/protocol'
import fc from 'fast-check'

const each = (base: bigint): UnitPrice => ({ base, tiers: [] })
const rate: Rate = {
  model: 'm',
  priced: 'exact',
  input: each(3_000_000n),
  cacheRead: each(300_000n),
  cacheWrite: each(3_750_000n),
  cacheWrite1h: each(6_000_000n),
  output: each(15_000_000n),
  webSearch: each(10_000_000_000n),
}

const message = (tokens: Partial<TokenCounts>, more: Partial<UsagePart> = {}): UsagePart => ({
  part: 'message',
  model: null,
  tokens: { ...UNKNOWN_TOKENS, ...tokens },
  webSearches: 0,
  ...more,
})

test('each kind of token is charged at its own price, and the cost is their sum', () => {
  const tokens = { input: 1000, cacheRead: 600, cacheWrite: 100, cacheWrite1h: 50, output: 20 }
  const { charges, cost, priced } = chargesFor(
    [message({ ...tokens, reasoning: 8 }, { webSearches: 2 })],
    'm',
    () => rate,
  )
  assert.deepEqual(
    charges.map(({ kind, quantity, unit, picoUsd }) => [kind, quantity, unit, picoUsd]),
    [
      ['input', 250, 'token', '750000000'], // 250 * 3,000,000
      ['cache_read', 600, 'token', '180000000'], // 600 * 300,000
      ['cache_write', 100, 'token', '375000000'], // 100 * 3,750,000
      ['cache_write_1h', 50, 'token', '300000000'], // 50 * 6,000,000
      ['output', 20, 'token', '300000000'], // 20 * 15,000,000; reasoning is a part of it
      ['web_search', 2, 'request', '20000000000'], // 2 * 10,000,000,000
    ],
  )
  assert.equal(cost, 21_905_000_000n)
  assert.equal(priced, 'exact')
})

test('above a length each token of that part costs the price of its tier, and only of that part', () => {
  const tiered: UnitPrice = {
    base: 1n,
    tiers: [
      { above: 200, price: 2n },
      { above: 400, price: 4n },
    ],
  }
  const rates = () => ({ ...rate, input: tiered, output: tiered })
  const cost = (...inputs: number[]) =>
    chargesFor(
      inputs.map((input) => message({ input, output: 10 })),
      'm',
      rates,
    ).cost
  assert.equal(cost(200), 210n) // 210 * 1
  assert.equal(cost(201), 422n) // 211 * 2
  assert.equal(cost(401), 1644n) // 411 * 4
  assert.equal(cost(200, 200), 420n) // twice 210 * 1, though 400 together
})

test('a part of another model is charged at that model, and the worst price names the call', () => {
  const dear: Rate = { ...rate, model: 'advisor', priced: 'fallback', output: each(75_000_000n) }
  const { charges, cost, priced } = chargesFor(
    [
      message({ input: 10, output: 2 }),
      message({ input: 5, output: 1 }, { part: 'advisor', model: 'advisor' }),
    ],
    'm',
    (model) => (model === 'advisor' ? dear : rate),
  )
  assert.deepEqual(
    charges.map(({ part, model, kind, picoUsd }) => [part, model, kind, picoUsd]),
    [
      ['message', 'm', 'input', '30000000'],
      ['message', 'm', 'output', '30000000'],
      ['advisor', 'advisor', 'input', '15000000'],
      ['advisor', 'advisor', 'output', '75000000'],
    ],
  )
  assert.equal(cost, 150_000_000n)
  assert.equal(priced, 'fallback')
  assert.equal(chargesFor([], 'advisor', () => dear).priced, 'fallback')
})

test('a cost is never negative and never falls when tokens are added', () => {
  const count = fc.nat(10_000_000)
  const known = fc.record({
    input: count,
    cacheRead: count,
    cacheWrite: count,
    cacheWrite1h: count,
    output: count,
  })
  fc.assert(
    fc.property(known, count, (parts, more) => {
      const cached = parts.cacheRead + parts.cacheWrite + parts.cacheWrite1h
      const tokens = { ...parts, input: parts.input + cached }
      const costOf = (usage: Partial<TokenCounts>) =>
        chargesFor([message(usage)], 'm', () => rate).cost
      const cost = costOf(tokens)
      assert.ok(cost >= 0n)
      assert.ok(costOf({ ...tokens, input: tokens.input + more }) >= cost)
      assert.ok(costOf({ ...tokens, output: tokens.output + more }) >= cost)
    }),
  )
})
