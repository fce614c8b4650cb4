import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { PriceCatalogue, type UsagePart } from '@tokenfuse/protocol'
import { eventOf, metered } from './metered.ts'
import { otlpRequest, otlpSpan, SPAN_ID, START_MS, TRACE_ID } from './otlp.ts'

const CHAT = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.provider.name': 'openai',
  'gen_ai.request.model': 'priced-1',
}

const unknownTokens = {
  input: null,
  cacheRead: null,
  cacheWrite: null,
  cacheWrite1h: null,
  output: null,
  reasoning: null,
}

suite('the usage event of a call', () => {
  test('has every field of its span, and the money of the price list', () => {
    const span = otlpSpan(
      {
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.response.model': 'gpt-4o-2024-08-06',
        'gen_ai.response.id': 'chatcmpl-1',
        'gen_ai.usage.input_tokens': 1200,
        'gen_ai.usage.cache_read.input_tokens': 1024,
        'gen_ai.usage.cache_write.input_tokens': 0,
        'tokenfuse.usage.cache_write_1h.input_tokens': 0,
        'gen_ai.usage.output_tokens': 310,
        'gen_ai.usage.reasoning.output_tokens': 128,
        'openai.response.service_tier': 'default',
        'gen_ai.agent.name': 'writer',
        'tokenfuse.task.id': 't-17',
        'tokenfuse.task.type': 'draft',
        'tokenfuse.task.difficulty': 'hard',
        'tokenfuse.step.index': 3,
        'tokenfuse.step.name': 'outline',
        'user.id': 'u-9',
        'session.id': 's-4',
        'tokenfuse.tenant': 'acme',
        'tokenfuse.criticality': 'critical',
        'tokenfuse.tag.team': 'red',
        'tokenfuse.usage.source': 'provider',
        'tokenfuse.request.original_model': 'gpt-4.1',
        'tokenfuse.tool.call.keys': ['k1', 'k2'],
        'tokenfuse.tool.result.keys': ['r1'],
        'tokenfuse.verdict': '{"action":"downgrade","reserve":1500,"cap":400,"decision":"d-1"}',
        'tokenfuse.savings.strategy': 'downgrade',
        'tokenfuse.savings.input_tokens': 12,
        'tokenfuse.savings.output_tokens': 0,
      },
      { parentSpanId: '00f067aa0ba902b7' },
    )
    const resource = { 'service.name': 'api', 'tokenfuse.guard.id': 'guard-0001' }
    assert.deepEqual(eventOf(span, resource, { catalogue: new PriceCatalogue() }), {
      type: 'usage',
      v: 1,
      tenant: 'acme',
      time: '2026-01-02T03:04:05.678Z',
      durationMs: 812,
      traceId: TRACE_ID,
      spanId: SPAN_ID,
      parentSpanId: '00f067aa0ba902b7',
      guard: 'guard-0001',
      responseId: 'chatcmpl-1',
      agent: 'writer',
      task: 't-17',
      taskType: 'draft',
      difficulty: 'hard',
      step: 3,
      stepName: 'outline',
      user: 'u-9',
      session: 's-4',
      service: 'api',
      tags: { team: 'red' },
      criticality: 'critical',
      provider: 'openai',
      operation: 'chat',
      requestModel: 'gpt-4o',
      originalModel: 'gpt-4.1',
      responseModel: 'gpt-4o-2024-08-06',
      serviceTier: 'default',
      tokens: {
        input: 1200,
        cacheRead: 1024,
        cacheWrite: 0,
        cacheWrite1h: 0,
        output: 310,
        reasoning: 128,
      },
      // A million tokens cost 2.50, cached 1.25 and written 10 USD, so one costs 2,500,000, 1,250,000 and 10,000,000
      // pico-USD: (1200 - 1024) x 2,500,000 + 1024 x 1,250,000 + 310 x 10,000,000 = 4,820,000,000.
      charges: [
        charge('input', 'gpt-4o-2024-08-06', 176, '440000000'),
        charge('cache_read', 'gpt-4o-2024-08-06', 1024, '1280000000'),
        charge('output', 'gpt-4o-2024-08-06', 310, '3100000000'),
      ],
      costPicoUsd: '4820000000',
      priceVersion: 'genai-prices@0.1.8',
      priced: 'exact',
      source: 'provider',
      error: null,
      toolCallKeys: ['k1', 'k2'],
      toolResultKeys: ['r1'],
      verdict: { action: 'downgrade', reserve: 1500, cap: 400, decision: 'd-1' },
      savings: [{ strategy: 'downgrade', inputTokens: 12, outputTokens: 0 }],
    })
  })

  test('says unknown where nobody said, and null where a count is missing', () => {
    const event = eventOf(otlpSpan({ 'gen_ai.operation.name': 'chat' }))
    const { agent, task, user, session, service, provider, requestModel } = event
    const names = { agent, task, user, session, service, provider, requestModel }
    for (const [field, value] of Object.entries(names)) assert.equal(value, 'unknown', field)
    assert.equal(event.tenant, 'default')
    assert.equal(event.criticality, 'normal')
    assert.deepEqual(event.tokens, unknownTokens)
    assert.deepEqual([event.charges, event.costPicoUsd], [[], '0'])
    assert.equal(event.source, 'partial')
    assert.equal(event.priced, 'ceiling')
    const { guard, responseId, taskType, difficulty, step, stepName, verdict, error } = event
    for (const value of [guard, responseId, taskType, difficulty, step, stepName, verdict, error]) {
      assert.equal(value, null)
    }
  })

  test('names the price overrides that it was priced with', () => {
    const event = eventOf(otlpSpan(CHAT), {}, { overridesVersion: 'policy.42' })
    assert.equal(event.priceVersion, 'genai-prices@0.1.8+policy.42')
  })

  test('carries the error of its span, or that there was one', () => {
    const errorOf = (values: object, status?: { code: number }) =>
      eventOf(otlpSpan({ ...CHAT, ...values }, status ? { status } : {})).error
    assert.equal(errorOf({ 'error.type': 'rate_limit_error' }, { code: 2 }), 'rate_limit_error')
    assert.equal(errorOf({ 'error.type': 'timeout' }), 'timeout')
    assert.equal(errorOf({}, { code: 2 }), '_OTHER')
    assert.equal(errorOf({}, { code: 1 }), null)
  })
})

suite('money', () => {
  const costOf = (values: object) => BigInt(eventOf(otlpSpan({ ...CHAT, ...values })).costPicoUsd)

  test('is the sum of each kind of token at its own price', () => {
    // 1000 read, of which 200 cached, 300 written for five minutes and 100 for an hour; 50 generated.
    // 400 x 1 + 200 x 0.1 + 300 x 2 + 100 x 3 + 50 x 10 = 1820 micro-USD
    const values = {
      'gen_ai.usage.input_tokens': 1000,
      'gen_ai.usage.cache_read.input_tokens': 200,
      'gen_ai.usage.cache_write.input_tokens': 400,
      'tokenfuse.usage.cache_write_1h.input_tokens': 100,
      'gen_ai.usage.output_tokens': 50,
    }
    assert.equal(costOf(values), 1820n * 1_000_000n)
    const { tokens } = eventOf(otlpSpan({ ...CHAT, ...values }))
    assert.deepEqual([tokens.cacheWrite, tokens.cacheWrite1h], [300, 100])
  })

  test('of the largest call there can be is exact', () => {
    // 10^10 read at 1 and 10^10 written at 10 micro-USD: 1.1 x 10^17 pico-USD, beyond the exact numbers
    const most = { 'gen_ai.usage.input_tokens': 1e10, 'gen_ai.usage.output_tokens': 1e10 }
    assert.equal(costOf(most), 110_000_000_000_000_000n)
  })

  test('follows the model that answered, and the one asked where none answered', () => {
    const usage = { 'gen_ai.usage.input_tokens': 10, 'gen_ai.usage.output_tokens': 0 }
    const models = { 'gen_ai.request.model': 'nobody-knows', 'gen_ai.response.model': 'priced-2' }
    const event = eventOf(otlpSpan({ ...CHAT, ...models, ...usage }))
    assert.deepEqual(event.charges, [charge('input', 'priced-2', 10, '10000000')])
    assert.equal(event.priced, 'exact')
  })

  test('is never zero for want of a price', () => {
    const usage = { 'gen_ai.usage.input_tokens': 10, 'gen_ai.usage.output_tokens': 10 }
    const event = eventOf(otlpSpan({ ...CHAT, 'gen_ai.request.model': 'nobody-knows', ...usage }))
    assert.equal(event.priced, 'ceiling')
    // 10 x 150 + 10 x 600 micro-USD
    assert.equal(event.costPicoUsd, '7500000000')
  })
})

suite('a response that bills several requests', () => {
  const tokens = { ...unknownTokens, input: 100, output: 10 }
  const parts: UsagePart[] = [
    { part: 'compaction', model: null, tokens, webSearches: 0 },
    { part: 'advisor', model: 'priced-2', tokens: { ...tokens, output: 20 }, webSearches: 0 },
    { part: 'message', model: null, tokens: { ...tokens, cacheRead: 40 }, webSearches: 2 },
  ]
  const sums = {
    'gen_ai.usage.input_tokens': 300,
    'gen_ai.usage.cache_read.input_tokens': 40,
    'gen_ai.usage.output_tokens': 40,
    'tokenfuse.usage.source': 'provider',
    'tokenfuse.usage.parts': JSON.stringify(parts),
  }

  test('is charged part by part, each to its own model', () => {
    const event = eventOf(otlpSpan({ ...CHAT, ...sums }))
    // 100 + 10 x 10 = 200, 100 + 20 x 10 = 300, 60 + 40 x 0.1 + 10 x 10 = 164 micro-USD, two searches at 10,000
    assert.equal(event.costPicoUsd, String((200n + 300n + 164n + 20_000n) * 1_000_000n))
    const billed = event.charges.map(({ part, model, kind }) => `${part} ${model} ${kind}`)
    assert.deepEqual(billed, [
      'compaction priced-1 input',
      'compaction priced-1 output',
      'advisor priced-2 input',
      'advisor priced-2 output',
      'message priced-1 input',
      'message priced-1 cache_read',
      'message priced-1 output',
      'message priced-1 web_search',
    ])
    assert.deepEqual(event.tokens, { ...unknownTokens, input: 300, cacheRead: 40, output: 40 })
    assert.equal(event.source, 'provider')
  })

  test('is charged by its parts where their sums did not come along', () => {
    const event = eventOf(
      otlpSpan({ ...CHAT, 'tokenfuse.usage.parts': sums['tokenfuse.usage.parts'] }),
    )
    assert.equal(event.tokens.input, 300)
    assert.equal(event.source, 'provider')
  })
})

suite('the source of usage', () => {
  const sourceOf = (values: object) => eventOf(otlpSpan({ ...CHAT, ...values })).source

  test('is what the sender says, else provider where all is known and partial where not', () => {
    const input = { 'gen_ai.usage.input_tokens': 5 }
    const output = { 'gen_ai.usage.output_tokens': 5 }
    assert.equal(sourceOf({ ...input, ...output }), 'provider')
    assert.equal(sourceOf(input), 'partial')
    assert.equal(sourceOf(output), 'partial')
    assert.equal(sourceOf({ ...input, 'gen_ai.operation.name': 'embeddings' }), 'provider')
    for (const told of ['provider', 'partial', 'estimate']) {
      assert.equal(sourceOf({ ...input, 'tokenfuse.usage.source': told }), told)
    }
  })

  test('is partial where nothing is known, whatever the sender says', () => {
    for (const told of ['provider', 'partial', 'estimate']) {
      assert.equal(sourceOf({ 'tokenfuse.usage.source': told }), 'partial')
    }
  })

  test('costs nothing where it is a cache', () => {
    const usage = { 'gen_ai.usage.input_tokens': 5, 'gen_ai.usage.output_tokens': 5 }
    const event = eventOf(otlpSpan({ ...CHAT, ...usage, 'tokenfuse.usage.source': 'cache' }))
    assert.deepEqual([event.source, event.costPicoUsd, event.charges], ['cache', '0', []])
    assert.equal(event.tokens.input, 5)
  })
})

suite('a call that the guard refused', () => {
  test('is an event that used and cost nothing, told from its verdict or from its decision', () => {
    const none = { 'gen_ai.usage.input_tokens': 0, 'gen_ai.usage.output_tokens': 0 }
    for (const action of ['throttle', 'pause', 'block', 'kill']) {
      const verdict = JSON.stringify({ action, reserve: null, cap: null, decision: 'd-7' })
      const told = [
        { 'tokenfuse.verdict': verdict },
        { 'tokenfuse.decision.action': action, 'tokenfuse.decision.id': 'd-7' },
        { 'tokenfuse.verdict': '{broken', 'tokenfuse.decision.action': action },
        { 'tokenfuse.verdict': verdict, ...none, 'gen_ai.request.model': 'nobody-knows' },
      ]
      for (const values of told) {
        const event = eventOf(otlpSpan({ ...CHAT, ...values, 'tokenfuse.usage.source': 'partial' }))
        assert.equal(event.verdict?.action, action)
        assert.deepEqual([event.costPicoUsd, event.charges], ['0', []])
        assert.deepEqual(new Set(Object.values(event.tokens)), new Set([0]))
        assert.equal(event.source, 'provider')
        assert.equal(event.priced, 'exact')
      }
    }
  })

  test('is one that was paid for where a response came all the same', () => {
    const throttled = { ...CHAT, 'tokenfuse.decision.action': 'throttle' }
    const usage = { 'gen_ai.usage.input_tokens': 5, 'gen_ai.usage.output_tokens': 5 }
    // 5 x 1 + 5 x 10 micro-USD
    assert.equal(eventOf(otlpSpan({ ...throttled, ...usage })).costPicoUsd, '55000000')
    const unknown = eventOf(otlpSpan({ ...throttled, 'gen_ai.response.id': 'r-1' }))
    assert.deepEqual([unknown.source, unknown.tokens], ['partial', unknownTokens])
  })

  test('is not one that the guard only changed', () => {
    const event = eventOf(otlpSpan({ ...CHAT, 'tokenfuse.decision.action': 'cap_output' }))
    assert.deepEqual(event.tokens, unknownTokens)
    assert.deepEqual(event.verdict, {
      action: 'cap_output',
      reserve: null,
      cap: null,
      decision: null,
    })
  })
})

suite('what agents had to drop', () => {
  test('is the highest that each guard says of itself', () => {
    const resources = [
      ['guard-a', 3],
      ['guard-b', 7],
      ['guard-a', 5],
      ['guard-a', 4],
      ['guard-c', 0],
      ['__proto__', 1],
      ['guard-d', -2],
      ['guard-e', 1.5],
    ] as const
    const request = {
      resourceSpans: resources.flatMap(
        ([guard, dropped]) =>
          otlpRequest([otlpSpan(CHAT)], {
            'tokenfuse.guard.id': guard,
            'tokenfuse.dropped.spans': dropped,
          }).resourceSpans,
      ),
    }
    const { droppedByAgents } = metered(request)
    assert.deepEqual(
      [...droppedByAgents],
      [
        ['guard-a', 5],
        ['guard-b', 7],
        ['__proto__', 1],
      ],
    )
  })
})

suite('the time of a call', () => {
  test('is when it began, to the ms, and may lie up to 24 h ahead', () => {
    const ahead = START_MS + 24 * 3_600_000 + 1000 - 812
    const span = otlpSpan(CHAT, {
      startTimeUnixNano: `${ahead}999999`,
      endTimeUnixNano: `${ahead}999999`,
    })
    assert.equal(eventOf(span).time, new Date(ahead).toISOString())
  })
})

function charge(kind: string, model: string, quantity: number, picoUsd: string) {
  return { kind, part: 'message', model, quantity, unit: 'token', picoUsd }
}
