import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { asking, collect, entryOf, HELLO, useProvider, WEATHER_SCHEMA } from './clients.ts'

const fixture = useProvider()

test('a whole answer carries the text that it bills, and the bill is tokens x list price', async () => {
  const { openai, provider } = fixture()
  const answer = await openai.chat.completions.create(
    { model: 'gpt-4o', messages: HELLO },
    asking({ label: 'whole' }),
  )
  const entry = await entryOf(provider, 'whole')
  const text = answer.choices[0]?.message.content ?? ''
  assert.equal(answer.id, entry.responseId)
  assert.equal(answer.model, 'gpt-4o-2024-08-06')
  assert.equal(countTokens(text), answer.usage?.completion_tokens)
  // Seven tokens of text, four around the message, three around the request.
  assert.equal(answer.usage?.prompt_tokens, countTokens(HELLO[0]?.content ?? '') + 4 + 3)
  assert.equal(entry.tokens.output, answer.usage?.completion_tokens)
  // 2.50 and 10 USD per million tokens are 2,500,000 and 10,000,000 pico-USD a token.
  const cost = 2_500_000n * BigInt(entry.tokens.input) + 10_000_000n * BigInt(entry.tokens.output)
  assert.equal(entry.costPicoUsd, cost.toString())
})

test('a stream has usage only when it is asked for, and then in one last chunk without choices', async () => {
  const { openai, provider } = fixture()
  const ask = { model: 'gpt-4o-mini', messages: HELLO, stream: true as const }
  const plain = await openai.chat.completions.create(ask, asking({ label: 'unasked' }))
  for await (const chunk of plain) {
    assert.ok(!('usage' in chunk))
    assert.equal(chunk.choices.length, 1)
  }
  const asked = await openai.chat.completions.create(
    { ...ask, stream_options: { include_usage: true } },
    asking({ label: 'asked' }),
  )
  const chunks = await collect(asked)
  const last = chunks.at(-1)
  assert.ok(
    chunks.slice(0, -1).every((chunk) => chunk.usage === null && chunk.choices.length === 1),
  )
  assert.deepEqual(last?.choices, [])
  const entry = await entryOf(provider, 'asked')
  assert.equal(last?.usage?.prompt_tokens, entry.tokens.input)
  assert.equal(last?.usage?.completion_tokens, entry.tokens.output)
  assert.equal(entry.usageSent, true)
  assert.equal((await entryOf(provider, 'unasked')).usageSent, false)
})

test('the same request gets the same answer whole or streamed, and another under another seed', async () => {
  const { openai } = fixture()
  const ask = { model: 'gpt-4o-mini', messages: HELLO }
  const whole = await openai.chat.completions.create(ask)
  const streamed = await openai.chat.completions.stream(ask).finalChatCompletion()
  const reseeded = await openai.chat.completions.create(ask, asking({ config: { seed: 2 } }))
  const text = whole.choices[0]?.message.content
  assert.equal(streamed.choices[0]?.message.content, text)
  assert.notEqual(reseeded.choices[0]?.message.content, text)
})

test('a limit is kept to the token in each choice, and the choices are billed together', async () => {
  const { openai, provider } = fixture()
  const answer = await openai.chat.completions.create(
    { model: 'gpt-4o-mini', messages: HELLO, n: 3, max_tokens: 7 },
    asking({ label: 'limited', config: { outputTokens: { median: 400, sigma: 0.1 } } }),
  )
  for (const choice of answer.choices) {
    assert.equal(countTokens(choice.message.content ?? ''), 7)
    assert.equal(choice.finish_reason, 'length')
  }
  assert.equal(answer.usage?.completion_tokens, 21)
  const entry = await entryOf(provider, 'limited')
  assert.equal(entry.tokens.output, 21)
  assert.ok(entry.wantedOutput > 600, 'three times about 400 were wanted')
})

test('reasoning is part of the output and of its limit', async () => {
  const { openai } = fixture()
  const config = { reasoningTokens: { median: 300, sigma: 0.01 } }
  const ask = { model: 'o4-mini', messages: HELLO }
  const free = await openai.chat.completions.create(ask, asking({ config }))
  const reasoning = free.usage?.completion_tokens_details?.reasoning_tokens ?? 0
  const visible = countTokens(free.choices[0]?.message.content ?? '')
  assert.equal(free.usage?.completion_tokens, reasoning + visible)
  const cut = await openai.chat.completions.create(
    { ...ask, max_completion_tokens: 100 },
    asking({ config }),
  )
  assert.equal(cut.usage?.completion_tokens, 100)
  assert.equal(cut.choices[0]?.message.content, '')
  assert.equal(cut.choices[0]?.finish_reason, 'length')
})

test('tools are called with arguments of their schema, whole and streamed', async () => {
  const { openai } = fixture()
  const ask = {
    model: 'gpt-4o',
    messages: HELLO,
    tools: [
      { type: 'function' as const, function: { name: 'weather', parameters: WEATHER_SCHEMA } },
    ],
    tool_choice: 'required' as const,
  }
  const whole = await openai.chat.completions.create(ask)
  const streamed = await openai.chat.completions.stream(ask).finalChatCompletion()
  for (const answer of [whole, streamed]) {
    assert.equal(answer.choices[0]?.finish_reason, 'tool_calls')
    const call = answer.choices[0]?.message.tool_calls?.[0]
    assert.ok(call?.type === 'function')
    const given = JSON.parse(call.function.arguments) as Record<string, unknown>
    assert.equal(typeof given['city'], 'string')
    assert.equal(typeof given['days'], 'number')
  }
})

test('a prefix of over 1,024 tokens that came before is cached in steps of 128', async () => {
  const { openai, provider } = fixture()
  const system = { role: 'system' as const, content: 'The rules of the house. '.repeat(300) }
  const ask = (label: string, content: string) =>
    openai.chat.completions.create(
      { model: 'gpt-4o', messages: [system, { role: 'user', content }] },
      asking({ label, reply: { output: 5 } }),
    )
  await ask('cache-1', 'first')
  const second = await ask('cache-2', 'second')
  const prefix = countTokens(system.content) + 4
  const cached = Math.floor(prefix / 128) * 128
  assert.equal(second.usage?.prompt_tokens_details?.cached_tokens, cached)
  assert.equal((await entryOf(provider, 'cache-1')).tokens.cached, 0)
  const entry = await entryOf(provider, 'cache-2')
  // 2.50 uncached, 1.25 cached, 10 for output, USD per million.
  const cost = (entry.tokens.input - cached) * 2_500_000 + cached * 1_250_000 + 5 * 10_000_000
  assert.equal(entry.costPicoUsd, String(cost))
})

test('a scripted reply is billed to the token, by header and from the queue of its label', async () => {
  const { openai, provider } = fixture()
  await provider.script('planned', [{ input: 618, output: 4 }])
  const ask = { model: 'gpt-4o-mini', messages: HELLO, user: 'planned' }
  const queued = await openai.chat.completions.create(ask)
  assert.equal(queued.usage?.prompt_tokens, 618)
  assert.equal(queued.usage?.completion_tokens, 4)
  const byHeader = await openai.chat.completions.create(
    { model: 'gpt-4o-mini', messages: HELLO },
    asking({ label: 'by-header', reply: { input: 926, output: 1432 } }),
  )
  assert.equal(countTokens(byHeader.choices[0]?.message.content ?? ''), 1432)
  // 618 x 0.15 + 4 x 0.60 USD per million; 926 x 0.15 + 1,432 x 0.60.
  assert.equal((await entryOf(provider, 'planned')).costPicoUsd, '95100000')
  assert.equal((await entryOf(provider, 'by-header')).costPicoUsd, '998100000')
})

test('it refuses what the provider refuses, and bills nothing for it', async () => {
  const { openai, provider } = fixture()
  const bad = { max_tokens: 5, model: 'o4-mini', messages: HELLO }
  await assert.rejects(openai.chat.completions.create(bad, asking({ label: 'bad' })), {
    status: 400,
    code: 'unsupported_parameter',
  })
  await assert.rejects(openai.chat.completions.create({ model: 'gpt-99', messages: HELLO }), {
    status: 404,
    code: 'model_not_found',
  })
  const streamOptions = openai.chat.completions.create(
    { model: 'gpt-4o', messages: HELLO, stream: true, stream_options: { include_usage: true } },
    asking({ config: { rejectStreamOptions: true } }),
  )
  await assert.rejects(streamOptions, { status: 400, param: 'stream_options' })
  const entry = await entryOf(provider, 'bad')
  assert.deepEqual([entry.outcome, entry.costPicoUsd], ['error', '0'])
})

test('embeddings are billed by their input alone', async () => {
  const { openai, provider } = fixture()
  const answer = await openai.embeddings.create(
    { model: 'text-embedding-3-small', input: ['one text', 'another text'], dimensions: 8 },
    asking({ label: 'embedded' }),
  )
  assert.equal(answer.data.length, 2)
  assert.equal(answer.data[1]?.embedding.length, 8)
  const entry = await entryOf(provider, 'embedded')
  assert.equal(answer.usage.prompt_tokens, entry.tokens.input)
  assert.equal(entry.costPicoUsd, String(entry.tokens.input * 20_000))
})
