import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findProvider } from '@pydantic/genai-prices'
import {
  ceilingRate,
  highestUnitPrice,
  parsePolicy,
  PRICE_BASE,
  PriceCatalogue,
  rateFromWire,
  rateToWire,
  TOKEN_PRICE_KINDS,
  unitPriceAt,
} from '@tokenfuse/protocol'
import fc from 'fast-check'

const NOW_MS = Date.parse('2026-11-01T12:00:00Z')
const catalogue = new PriceCatalogue()

test('well-known models cost what their providers say, in USD a million tokens', () => {
  const rows: [provider: string, model: string, input: bigint, output: bigint][] = [
    ['openai', 'gpt-4o', 2_500_000n, 10_000_000n], // 2.50 and 10
    ['openai', 'gpt-4o-2024-08-06', 2_500_000n, 10_000_000n],
    ['openai', 'gpt-4o-mini', 150_000n, 600_000n], // 0.15 and 0.60
    ['openai', 'gpt-4o-mini-2024-07-18', 150_000n, 600_000n],
    ['anthropic', 'claude-3-5-sonnet-20241022', 3_000_000n, 15_000_000n], // 3 and 15
    ['anthropic', 'claude-3-5-sonnet-latest', 3_000_000n, 15_000_000n],
    ['anthropic', 'claude-3-haiku-20240307', 250_000n, 1_250_000n], // 0.25 and 1.25
    ['azure.ai.openai', 'gpt-4o-mini', 150_000n, 600_000n],
  ]
  for (const [provider, model, input, output] of rows) {
    const rate = catalogue.rate(provider, model, null, NOW_MS)
    const found = [rate.priced, rate.input.base, rate.output.base]
    assert.deepEqual(found, ['exact', input, output], `${provider} ${model}`)
  }
})

test('cached input has its own price where the provider has one, else that of input', () => {
  const gpt4o = catalogue.rate('openai', 'gpt-4o', null, NOW_MS)
  assert.equal(gpt4o.cacheRead.base, 1_250_000n) // half of input
  assert.equal(gpt4o.cacheWrite.base, gpt4o.input.base)
  const sonnet = catalogue.rate('anthropic', 'claude-3-5-sonnet-20241022', null, NOW_MS)
  assert.equal(sonnet.cacheRead.base, 300_000n) // a tenth of input
  assert.equal(sonnet.cacheWrite.base, 3_750_000n) // input and a quarter
  assert.equal(sonnet.cacheWrite1h.base, 6_000_000n) // twice input
})

test('a model that is dearer above a context length is so from the first token above it', () => {
  const { input } = catalogue.rate('google', 'gemini-2.5-pro', null, NOW_MS)
  assert.equal(unitPriceAt(input, 200_000), 1_250_000n)
  assert.equal(unitPriceAt(input, 200_001), 2_500_000n)
  assert.equal(highestUnitPrice(input), 2_500_000n)
})

test('an unlisted date of a listed model costs what its family costs, and says so', () => {
  for (const model of ['gpt-4o-2031-01-01', 'ft:gpt-4o-mini-2024-07-18:acme::x1']) {
    const rate = catalogue.rate('openai', model, null, NOW_MS)
    assert.ok(rate.input.base > 0n && rate.output.base > 0n, model)
    assert.equal(rate.model, model)
  }
  assert.equal(catalogue.rate('somewhere', 'gpt-4o', null, NOW_MS).priced, 'fallback')
  assert.equal(catalogue.rate('openai', 'gpt-4o', 'priority', NOW_MS).priced, 'fallback')
  assert.equal(catalogue.rate('openai', 'gpt-4o', 'default', NOW_MS).priced, 'exact')
})

test('a model that nothing knows costs the ceiling', () => {
  const rate = catalogue.rate('openai', 'zeta', null, NOW_MS)
  assert.equal(rate.priced, 'ceiling')
  assert.equal(rate.input.base, 150_000_000n)
  assert.equal(rate.output.base, 600_000_000n)
})

test('whatever a provider and model are called, there is a price above zero', () => {
  const name = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('', '__proto__', 'constructor', 'openai', 'gpt-4o', 'claude-', '-', '/', 'a/'),
    fc
      .constantFrom('gpt-4o-mini', 'claude-3', 'gemini')
      .chain((head) => fc.string({ maxLength: 12 }).map((tail) => head + tail)),
  )
  const time = fc.integer({ min: 0, max: 4_102_444_800_000 })
  fc.assert(
    fc.property(name, name, fc.option(name), time, (provider, model, tier, timeMs) => {
      const rate = catalogue.rate(provider, model, tier, timeMs)
      for (const kind of [...TOKEN_PRICE_KINDS, 'webSearch'] as const) {
        if (kind === 'output' && /embed/.test(model)) continue
        assert.ok(rate[kind].base > 0n, kind)
        for (const { price } of rate[kind].tiers) assert.ok(price > 0n, kind)
      }
    }),
    { numRuns: 200 },
  )
})

test('no listed model fails to be priced, and none is dearer than the ceiling', () => {
  const source = readFileSync(new URL(import.meta.resolve('@pydantic/genai-prices')), 'utf8')
  const ids = new Set([...source.matchAll(/\bid: ?"([\w-]+)"/g)].map(([, id = '']) => id))
  const providers = [...ids].filter((id) => findProvider({ providerId: id })?.id === id)
  assert.ok(providers.length >= 40, `found only ${providers.length} providers in the catalogue`)
  const ceiling = ceilingRate()
  for (const provider of providers) {
    for (const { id } of findProvider({ providerId: provider })?.models ?? []) {
      const rate = catalogue.rate(provider, id, null, NOW_MS)
      for (const kind of TOKEN_PRICE_KINDS) {
        const highest = highestUnitPrice(rate[kind])
        assert.ok(highest <= ceiling[kind].base, `${provider} ${id} ${kind}: ${highest}`)
      }
    }
  }
})

test('a price that depends on the hour is that of the hour', () => {
  const at = (time: string) =>
    catalogue.rate('deepseek', 'deepseek-chat', null, Date.parse(`2025-06-01T${time}Z`)).input.base
  assert.notEqual(at('12:00:00'), at('18:00:00'))
  assert.equal(at('00:29:59'), at('18:00:00'))
  assert.equal(at('00:30:00'), at('12:00:00'))
})

test('prices of the policy come first, and what they leave out follows their input price', () => {
  const { prices } = parsePolicy(
    `version: 1
prices:
  - { model: 'gpt-4o', provider: openai, inputUsdPerMillion: 1, outputUsdPerMillion: 2.5 }
  - { model: 'gpt-4o*', serviceTier: flex, inputUsdPerMillion: '0.50', outputUsdPerMillion: 4 }
  - { model: 'local-*', inputUsdPerMillion: 0, outputUsdPerMillion: 0 }
  - { model: 'zeta', inputUsdPerMillion: 1, outputUsdPerMillion: 1, cacheReadUsdPerMillion: 0.1, webSearchUsd: 0.02 }
`,
    'tokenfuse.yaml',
  )
  const own = new PriceCatalogue(prices)
  const basesOf = (provider: string, model: string, tier: string | null) => {
    const { input, cacheRead, cacheWrite1h, output, priced } = own.rate(provider, model, tier, 0)
    return [input.base, cacheRead.base, cacheWrite1h.base, output.base, priced]
  }
  const exact = 'exact'
  assert.deepEqual(basesOf('openai', 'gpt-4o', null), [
    1_000_000n,
    1_000_000n,
    1_000_000n,
    2_500_000n,
    exact,
  ])
  assert.deepEqual(basesOf('azure', 'gpt-4o', 'flex'), [
    500_000n,
    500_000n,
    500_000n,
    4_000_000n,
    exact,
  ])
  assert.deepEqual(basesOf('ollama', 'local-7b', null), [0n, 0n, 0n, 0n, exact])
  assert.deepEqual(basesOf('x', 'zeta', null), [
    1_000_000n,
    100_000n,
    1_000_000n,
    1_000_000n,
    exact,
  ])
  assert.equal(own.rate('x', 'zeta', null, 0).webSearch.base, 20_000_000_000n)
  assert.equal(own.rate('openai', 'gpt-4o-mini', null, NOW_MS).input.base, 150_000n)
})

test('a rate sent as JSON arrives as itself', () => {
  for (const model of ['gpt-4o', 'gemini-2.5-pro', 'zeta']) {
    const rate = catalogue.rate('google', model, null, NOW_MS)
    assert.deepEqual(rateFromWire(JSON.parse(JSON.stringify(rateToWire(rate)))), rate)
  }
})

test('events name the price list by the version that is installed', () => {
  const manifest = readFileSync(
    new URL('../package.json', import.meta.resolve('@pydantic/genai-prices')),
    'utf8',
  )
  assert.equal(PRICE_BASE, `genai-prices@${JSON.parse(manifest).version}`)
})
