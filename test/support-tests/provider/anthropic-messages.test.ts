import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asking, entryOf, HELLO, useProvider, WEATHER_SCHEMA } from './clients.ts'

const fixture = useProvider()
const ASK = { model: 'claude-3-5-sonnet-latest', max_tokens: 2000, messages: HELLO }

test('whole and streamed answers are the same and carry the usage that is billed', async () => {
  const { anthropic, provider } = fixture()
  const whole = await anthropic.messages.create(ASK, asking({ label: 'whole' }))
  const stream = anthropic.messages.stream(ASK, asking({ label: 'streamed' }))
  const streamed = await stream.finalMessage()
  assert.deepEqual(streamed.content, whole.content)
  for (const [label, answer] of [
    ['whole', whole],
    ['streamed', streamed],
  ] as const) {
    const entry = await entryOf(provider, label)
    assert.equal(answer.id, entry.responseId)
    assert.equal(answer.usage.input_tokens, entry.tokens.input)
    assert.equal(answer.usage.output_tokens, entry.tokens.output)
    // 3 and 15 USD per million tokens.
    const cost = entry.tokens.input * 3_000_000 + entry.tokens.output * 15_000_000
    assert.equal(entry.costPicoUsd, String(cost))
  }
})

test('max_tokens is wanted, and kept to the token', async () => {
  const { anthropic } = fixture()
  const { max_tokens: _none, ...unlimited } = ASK
  await assert.rejects(
    anthropic.messages.create(unlimited as typeof ASK),
    (error: { status?: number; message: string }) =>
      error.status === 400 && error.message.includes('max_tokens'),
  )
  const cut = await anthropic.messages.create(
    { ...ASK, max_tokens: 9 },
    asking({ reply: { output: 300 } }),
  )
  assert.equal(cut.usage.output_tokens, 9)
  assert.equal(cut.stop_reason, 'max_tokens')
})

test('cache breakpoints are written once and then read, each lifetime at its own price', async () => {
  const { anthropic, provider } = fixture()
  const rules = (topic: string) => `The rules of the ${topic}. `.repeat(300)
  const system = [
    {
      type: 'text' as const,
      text: rules('house'),
      cache_control: { type: 'ephemeral', ttl: '1h' },
    },
    { type: 'text' as const, text: rules('garden'), cache_control: { type: 'ephemeral' } },
  ]
  const ask = { ...ASK, system: system as never }
  const reply = { output: 10 }
  const first = await anthropic.messages.create(ask, asking({ label: 'written', reply }))
  const second = await anthropic.messages.create(ask, asking({ label: 'read', reply }))
  const written = first.usage.cache_creation
  assert.ok((written?.ephemeral_1h_input_tokens ?? 0) > 1024)
  assert.ok((written?.ephemeral_5m_input_tokens ?? 0) > 1024)
  assert.equal(first.usage.cache_read_input_tokens, 0)
  assert.equal(second.usage.cache_read_input_tokens, first.usage.cache_creation_input_tokens)
  assert.equal(second.usage.cache_creation_input_tokens, 0)
  assert.equal(second.usage.input_tokens, first.usage.input_tokens)
  const cost = (await entryOf(provider, 'written')).costPicoUsd
  // USD per million: 3 uncached, 3.75 written for five minutes, 6 for an hour, 15 for output.
  const expected =
    first.usage.input_tokens * 3_000_000 +
    (written?.ephemeral_5m_input_tokens ?? 0) * 3_750_000 +
    (written?.ephemeral_1h_input_tokens ?? 0) * 6_000_000 +
    10 * 15_000_000
  assert.equal(cost, String(expected))
  const readCost =
    second.usage.input_tokens * 3_000_000 +
    (second.usage.cache_read_input_tokens ?? 0) * 300_000 +
    10 * 15_000_000
  assert.equal((await entryOf(provider, 'read')).costPicoUsd, String(readCost))
})

test('thinking is part of the output and stays within its budget', async () => {
  const { anthropic } = fixture()
  const answer = await anthropic.messages.create(
    { ...ASK, model: 'claude-sonnet-4-6', thinking: { type: 'enabled', budget_tokens: 1024 } },
    asking({ config: { reasoningTokens: { median: 5000, sigma: 0.1 } } }),
  )
  assert.equal(answer.content[0]?.type, 'thinking')
  assert.equal(answer.usage.output_tokens_details?.thinking_tokens, 1024)
  assert.ok(answer.usage.output_tokens > 1024 && answer.usage.output_tokens <= 2000)
})

test('tools are called with arguments of their schema, whole and streamed', async () => {
  const { anthropic } = fixture()
  const tool = { name: 'weather', input_schema: WEATHER_SCHEMA }
  const ask = { ...ASK, tools: [tool], tool_choice: { type: 'any' as const } }
  const whole = await anthropic.messages.create(ask)
  const streamed = await anthropic.messages.stream(ask).finalMessage()
  for (const answer of [whole, streamed]) {
    assert.equal(answer.stop_reason, 'tool_use')
    const call = answer.content.find((block) => block.type === 'tool_use')
    assert.ok(call)
    assert.equal(typeof (call.input as Record<string, unknown>)['city'], 'string')
  }
})

test('a web search is billed by request, and its results as input that the start does not show', async () => {
  const { anthropic, provider } = fixture()
  const stream = anthropic.messages.stream(
    {
      ...ASK,
      model: 'claude-sonnet-4-6',
      tools: [{ type: 'web_search_20250305', name: 'web_search', max_uses: 1 }],
    },
    asking({ label: 'search' }),
  )
  let startInput = 0
  stream.on('streamEvent', (event) => {
    if (event.type === 'message_start') startInput = event.message.usage.input_tokens
  })
  const { usage } = await stream.finalMessage()
  assert.equal(usage.server_tool_use?.web_search_requests, 1)
  assert.ok(usage.input_tokens > startInput + 1000)
  const entry = await entryOf(provider, 'search')
  assert.equal(entry.webSearches, 1)
  // 10 USD per thousand searches are 10^10 pico-USD each.
  const tokens = entry.tokens.input * 3_000_000 + entry.tokens.output * 15_000_000
  assert.equal(entry.costPicoUsd, String(tokens + 10_000_000_000))
})

test('an advisor is billed beside the top level, at its own price', async () => {
  const { anthropic, provider } = fixture()
  const answer = await anthropic.beta.messages.create(
    {
      ...ASK,
      model: 'claude-sonnet-4-6',
      betas: ['advisor-tool-2026-03-01'],
      tools: [{ type: 'advisor_20260301', name: 'advisor', model: 'claude-opus-4-7' }],
    },
    asking({ label: 'advised' }),
  )
  const entry = await entryOf(provider, 'advised')
  const [advisor] = entry.extras
  assert.equal(advisor?.model, 'claude-opus-4-7')
  const runs = answer.usage.iterations ?? []
  assert.deepEqual(
    runs.map((run) => run.type),
    ['message', 'advisor_message', 'message'],
  )
  const own = runs.filter((run) => run.type === 'message')
  const sum = (field: 'input_tokens' | 'output_tokens') =>
    own.reduce((total, run) => total + run[field], 0)
  assert.equal(sum('input_tokens'), answer.usage.input_tokens)
  assert.equal(sum('output_tokens'), answer.usage.output_tokens)
  // Sonnet at 3 and 15, the advisor at 5 and 25 USD per million.
  const cost =
    entry.tokens.input * 3_000_000 +
    entry.tokens.output * 15_000_000 +
    (advisor?.input ?? 0) * 5_000_000 +
    (advisor?.output ?? 0) * 25_000_000
  assert.equal(entry.costPicoUsd, String(cost))
})

test('a summary of the context is billed beside the top level, which the stream states last', async () => {
  const { anthropic, provider } = fixture()
  const stream = anthropic.beta.messages.stream(
    {
      ...ASK,
      model: 'claude-opus-4-7',
      messages: [{ role: 'user', content: 'Long ago it was so. '.repeat(500) }],
      betas: ['compact-2026-01-12'],
      context_management: {
        edits: [{ type: 'compact_20260112', trigger: { type: 'input_tokens', value: 1000 } }],
      },
    },
    asking({ label: 'compacted' }),
  )
  let startInput = 0
  stream.on('streamEvent', (event) => {
    if (event.type === 'message_start') startInput = event.message.usage.input_tokens
  })
  await stream.finalMessage()
  const entry = await entryOf(provider, 'compacted')
  const [summary] = entry.extras
  assert.equal(summary?.kind, 'compaction')
  assert.equal(startInput, summary?.input)
  assert.ok(entry.tokens.input < startInput)
  const cost =
    (entry.tokens.input + (summary?.input ?? 0)) * 5_000_000 +
    (entry.tokens.output + (summary?.output ?? 0)) * 25_000_000
  assert.equal(entry.costPicoUsd, String(cost))
})

test('counting tokens is free, and right', async () => {
  const { anthropic, provider } = fixture()
  const { input_tokens: counted } = await anthropic.messages.countTokens({
    model: ASK.model,
    messages: HELLO,
  })
  const before = (await provider.summary()).requests
  const answer = await anthropic.messages.create(ASK, asking({ reply: { output: 1 } }))
  assert.equal(answer.usage.input_tokens, counted)
  assert.equal((await provider.summary()).requests, before + 1)
})
