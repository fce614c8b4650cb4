import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { PriceCatalogue, type TokenCounts, type UsagePart } from '@tokenfuse/protocol'
import fc from 'fast-check'
import { eventOf, metered } from './metered.ts'
import { otlpRequest, otlpSpan } from './otlp.ts'

const catalogue = new PriceCatalogue()
const MODELS = [
  'gpt-4o',
  'gpt-4o-mini',
  'claude-3-5-sonnet-20241022',
  'gemini-2.5-pro',
  'nobody-knows',
]

const countArb = fc.oneof(fc.nat(2000), fc.nat(2_000_000_000))
/** Tokens that hold, from the five kinds that are billed apart. */
const tokensArb: fc.Arbitrary<TokenCounts> = fc
  .record({
    uncached: countArb,
    cacheRead: countArb,
    cacheWrite: countArb,
    cacheWrite1h: countArb,
    output: countArb,
    reasoning: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ uncached, reasoning, ...kinds }) => ({
    ...kinds,
    input: uncached + kinds.cacheRead + kinds.cacheWrite + kinds.cacheWrite1h,
    reasoning: Math.floor(kinds.output * reasoning),
  }))
const modelArb = fc.constantFrom(...MODELS)
const providerArb = fc.constantFrom('openai', 'anthropic', 'gcp.gemini', 'somebody')

function spanOf(provider: string, model: string, tokens: TokenCounts, parts?: UsagePart[]) {
  return otlpSpan({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    'gen_ai.usage.input_tokens': tokens.input,
    'gen_ai.usage.cache_read.input_tokens': tokens.cacheRead,
    'gen_ai.usage.cache_write.input_tokens': (tokens.cacheWrite ?? 0) + (tokens.cacheWrite1h ?? 0),
    'tokenfuse.usage.cache_write_1h.input_tokens': tokens.cacheWrite1h,
    'gen_ai.usage.output_tokens': tokens.output,
    'gen_ai.usage.reasoning.output_tokens': tokens.reasoning,
    'tokenfuse.usage.source': 'provider',
    ...(parts && { 'tokenfuse.usage.parts': JSON.stringify(parts) }),
  })
}

const costOf = (provider: string, model: string, tokens: TokenCounts) =>
  BigInt(eventOf(spanOf(provider, model, tokens), {}, { catalogue }).costPicoUsd)

suite('money of any call', () => {
  test('is the sum of its charges, never negative, and all of its tokens are in them', () => {
    fc.assert(
      fc.property(providerArb, modelArb, tokensArb, (provider, model, tokens) => {
        const event = eventOf(spanOf(provider, model, tokens), {}, { catalogue })
        const sum = event.charges.reduce((total, { picoUsd }) => total + BigInt(picoUsd), 0n)
        assert.equal(BigInt(event.costPicoUsd), sum)
        assert.ok(sum >= 0n)
        assert.deepEqual(event.tokens, tokens)
        const quantity = event.charges.reduce((total, charge) => total + charge.quantity, 0)
        assert.equal(quantity, (tokens.input ?? 0) + (tokens.output ?? 0))
      }),
    )
  })

  test('never falls when a token of any kind is added', () => {
    const kind = fc.constantFrom(
      'cacheRead',
      'cacheWrite',
      'cacheWrite1h',
      'output',
      'input' as const,
    )
    fc.assert(
      fc.property(
        providerArb,
        modelArb,
        tokensArb,
        kind,
        fc.nat(5000),
        (provider, model, tokens, more, by) => {
          const larger = { ...tokens, [more]: (tokens[more] ?? 0) + by }
          if (more !== 'output' && more !== 'input') larger.input = (tokens.input ?? 0) + by
          assert.ok(costOf(provider, model, larger) >= costOf(provider, model, tokens))
        },
      ),
    )
  })

  test('is the same for one part as for the sums alone', () => {
    fc.assert(
      fc.property(providerArb, modelArb, tokensArb, (provider, model, tokens) => {
        const part: UsagePart = { part: 'message', model: null, tokens, webSearches: 0 }
        const whole = eventOf(spanOf(provider, model, tokens), {}, { catalogue })
        assert.deepEqual(eventOf(spanOf(provider, model, tokens, [part]), {}, { catalogue }), whole)
      }),
    )
  })
})

test('what a span comes to does not depend on the spans beside it', () => {
  const spanArb = fc
    .tuple(providerArb, modelArb, tokensArb)
    .map(([provider, model, tokens]) => spanOf(provider, model, tokens))
  fc.assert(
    fc.property(fc.array(spanArb, { maxLength: 8 }), (spans) => {
      const together = metered(otlpRequest(spans), { catalogue }).events
      assert.deepEqual(
        together,
        spans.map((span) => eventOf(span, {}, { catalogue })),
      )
    }),
    { numRuns: 30 },
  )
})
