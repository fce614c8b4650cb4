import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { eventOf, metered } from './metered.ts'
import { otlpRequest, otlpSpan } from './otlp.ts'

suite('a span that is no call adds nothing and is counted by why', () => {
  const MODEL = { 'gen_ai.request.model': 'priced-1' }
  const USAGE = { 'gen_ai.usage.input_tokens': 100, 'gen_ai.usage.output_tokens': 10 }
  const operation = (name: string) => ({ ...MODEL, ...USAGE, 'gen_ai.operation.name': name })

  const rows: [reason: string, values: object][] = [
    ['agent', operation('invoke_agent')],
    ['agent', operation('create_agent')],
    ['workflow', operation('invoke_workflow')],
    ['workflow', operation('plan')],
    ['tool', operation('execute_tool')],
    ['fetch_response', operation('fetch_response')],
    ['other_operation', operation('retrieval')],
    ['other_operation', operation('toString')],
    ['counted', { ...operation('chat'), 'tokenfuse.usage.counted': true }],
    ['counted', { ...operation('invoke_agent'), 'tokenfuse.usage.counted': 'true' }],
    ['no_call', MODEL],
    ['no_call', USAGE],
    ['no_call', { 'gen_ai.provider.name': 'openai' }],
    ['not_genai', { 'http.request.method': 'POST' }],
    ['not_genai', { 'gen_ai.agent.name': 'writer', 'user.id': 'u', 'session.id': 's' }],
    ['not_genai', { 'tokenfuse.usage.counted': true }],
  ]

  for (const [reason, values] of rows) {
    test(`${reason}: ${JSON.stringify(values)}`, () => {
      const result = metered(otlpRequest([otlpSpan({ ...values })]))
      assert.deepEqual([result.events, result.deadLetters], [[], []])
      const counted = Object.entries(result.ignored).filter(([, spans]) => spans > 0)
      assert.deepEqual(counted, [[reason, 1]])
    })
  }

  test('even where it claims what cannot be', () => {
    const values = { ...operation('invoke_agent'), 'gen_ai.usage.input_tokens': -1 }
    const result = metered(otlpRequest([otlpSpan(values, { traceId: '00' })]))
    assert.deepEqual(result.deadLetters, [])
  })
})

suite('a call', () => {
  test('is every billed operation, and model and usage without any operation', () => {
    for (const name of ['chat', 'generate_content', 'text_completion', 'embeddings']) {
      assert.equal(eventOf(otlpSpan({ 'gen_ai.operation.name': name })).operation, name)
    }
    const values = { 'gen_ai.response.model': 'priced-1', 'gen_ai.usage.output_tokens': 1 }
    const event = eventOf(otlpSpan(values))
    assert.equal(event.operation, 'unknown')
    assert.equal(event.costPicoUsd, '10000000')
    assert.equal(eventOf(otlpSpan({ ...values, 'gen_ai.operation.name': '' })).operation, 'unknown')
  })

  test('that its sender marked as not counted elsewhere is counted', () => {
    const values = { 'gen_ai.operation.name': 'chat', 'tokenfuse.usage.counted': false }
    assert.equal(eventOf(otlpSpan(values)).operation, 'chat')
  })
})

suite('older names', () => {
  const OLD = {
    'gen_ai.system': 'az.ai.openai',
    'gen_ai.request.model': 'priced-1',
    'gen_ai.usage.prompt_tokens': 100,
    'gen_ai.usage.completion_tokens': 10,
    'gen_ai.usage.cache_creation.input_tokens': 20,
    'gen_ai.usage.cache_read_input_tokens': 30,
    'gen_ai.openai.response.service_tier': 'flex',
  }

  test('stand for those of today', () => {
    const event = eventOf(otlpSpan(OLD))
    assert.equal(event.provider, 'azure.ai.openai')
    assert.equal(event.serviceTier, 'flex')
    const { input, output, cacheRead, cacheWrite } = event.tokens
    assert.deepEqual([input, output, cacheRead, cacheWrite], [100, 10, 30, 20])
  })

  test('give way to those of today, in whatever order they come', () => {
    const today = {
      'gen_ai.provider.name': 'openai',
      'gen_ai.usage.input_tokens': 200,
      'gen_ai.usage.cache_write.input_tokens': 0,
    }
    for (const values of [
      { ...OLD, ...today },
      { ...today, ...OLD },
    ]) {
      const event = eventOf(otlpSpan(values))
      assert.equal(event.provider, 'openai')
      assert.deepEqual([event.tokens.input, event.tokens.cacheWrite], [200, 0])
    }
  })

  test('of several with the same name the last holds', () => {
    const span = otlpSpan(OLD)
    const { attributes: again } = otlpSpan({ 'gen_ai.usage.prompt_tokens': 150 })
    const twice = { ...span, attributes: [...span.attributes, ...again] }
    assert.equal(eventOf(twice).tokens.input, 150)
  })

  test('of providers become those of today, and unknown ones stay', () => {
    const rows = [
      ['OpenAI', 'openai'],
      ['openai.chat', 'openai'],
      ['anthropic.messages', 'anthropic'],
      ['az.ai.inference', 'azure.ai.inference'],
      ['vertex_ai', 'gcp.vertex_ai'],
      ['gemini', 'gcp.gemini'],
      ['xai', 'x_ai'],
      ['Our-Gateway', 'Our-Gateway'],
      ['constructor', 'constructor'],
    ]
    for (const [told, today] of rows) {
      const values = { 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': told }
      assert.equal(eventOf(otlpSpan(values)).provider, today)
    }
  })
})

suite('input that does not include what was cached', () => {
  const usage = (provider: string, input: number) => ({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': 'priced-1',
    'gen_ai.usage.input_tokens': input,
    'gen_ai.usage.cache_read.input_tokens': 1000,
    'gen_ai.usage.cache_creation.input_tokens': 200,
    'gen_ai.usage.output_tokens': 0,
  })

  test('is made whole for providers that count so, where the counts show it', () => {
    for (const provider of ['anthropic', 'aws.bedrock']) {
      const { tokens, costPicoUsd } = eventOf(otlpSpan(usage(provider, 50)))
      assert.deepEqual([tokens.input, tokens.cacheRead, tokens.cacheWrite], [1250, 1000, 200])
      // 50 x 1 + 1000 x 0.1 + 200 x 2 micro-USD
      assert.equal(costPicoUsd, '550000000')
    }
  })

  test('is left as the conventions have it where it can be', () => {
    assert.equal(eventOf(otlpSpan(usage('anthropic', 1200))).tokens.input, 1200)
  })

  test('is never guessed of a sender of ours or of another provider', () => {
    const ours = { ...usage('anthropic', 50), 'tokenfuse.usage.source': 'provider' }
    for (const values of [ours, usage('openai', 50)]) {
      const { deadLetters } = metered(otlpRequest([otlpSpan(values)]))
      assert.match(deadLetters[0]?.message ?? '', /cache_exceeds_input/)
    }
  })
})
