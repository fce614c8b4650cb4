import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asking, collect, entriesOf, entryOf, HELLO, useProvider } from './clients.ts'

const fixture = useProvider({ tokensPerEvent: 1 })
const CHAT = { model: 'gpt-4o-mini', messages: HELLO }
const MESSAGES = { model: 'claude-3-haiku', max_tokens: 400, messages: HELLO }

test('statuses and resets before headers are retried by the SDKs and never billed', async () => {
  const { openai, anthropic, provider } = fixture()
  for (const fault of ['429:0.001x1', '500:0.001x2', 'resetx1']) {
    await openai.chat.completions.create(CHAT, asking({ label: fault, fault }))
    const entries = await entriesOf(provider, fault)
    const [answered, ...failed] = entries.reverse()
    assert.equal(answered?.outcome, 'completed')
    assert.ok(failed.length > 0)
    for (const entry of failed) {
      assert.deepEqual([entry.outcome, entry.costPicoUsd, entry.responseId], ['error', '0', null])
    }
  }
  await assert.rejects(
    anthropic.messages.create(MESSAGES, { ...asking({ fault: '529' }), maxRetries: 0 }),
    { status: 529, type: 'overloaded_error' },
  )
})

test('a client that leaves a stalled stream pays for its input and what was generated', async () => {
  const { openai, anthropic, provider } = fixture()
  const chat = await openai.chat.completions.create(
    { ...CHAT, stream: true, stream_options: { include_usage: true } },
    asking({ label: 'left', fault: 'stall:20', reply: { input: 100, output: 50 } }),
  )
  let seen = 0
  for await (const chunk of chat) {
    if (chunk.choices[0]?.delta.content) seen++
    if (seen === 20) break
  }
  const entry = await entryOf(provider, 'left')
  assert.deepEqual([entry.outcome, entry.tokens.input, entry.tokens.output], ['aborted', 100, 20])
  assert.equal(entry.usageSent, false)

  const stream = anthropic.messages.stream(
    MESSAGES,
    asking({ label: 'left-too', fault: 'stall:20', reply: { input: 100, output: 50 } }),
  )
  stream.on('text', (_delta, text) => {
    if (text.split(' ').length === 20) stream.abort()
  })
  await assert.rejects(stream.finalMessage())
  assert.equal((await entryOf(provider, 'left-too')).tokens.output, 20)
})

test('a connection cut in mid-stream breaks the client and bills what was generated', async () => {
  const { openai, provider } = fixture()
  const reply = { input: 100, output: 50 }
  const stream = await openai.chat.completions.create(
    { ...CHAT, stream: true },
    asking({ label: 'cut', fault: 'cut:10', reply }),
  )
  await assert.rejects(collect(stream))
  const entry = await entryOf(provider, 'cut')
  assert.deepEqual([entry.outcome, entry.tokens.output], ['cut', 10])
  // 100 x 0.15 + 10 x 0.60 USD per million.
  assert.equal(entry.costPicoUsd, '21000000')
})

test('a stream can end without its end: no usage, and all that was sent is billed', async () => {
  const { openai, provider } = fixture()
  const stream = await openai.chat.completions.create(
    { ...CHAT, stream: true, stream_options: { include_usage: true } },
    asking({ label: 'no-end', fault: 'no-end', reply: { output: 30 } }),
  )
  const chunks = await collect(stream)
  assert.ok(chunks.every((chunk) => !chunk.usage))
  const entry = await entryOf(provider, 'no-end')
  assert.deepEqual([entry.outcome, entry.tokens.output, entry.usageSent], ['cut', 30, false])
})

test('an error in mid-stream raises the typed error of each SDK', async () => {
  const { openai, anthropic, provider } = fixture()
  const asked = asking({ label: 'failed', fault: 'error:5', reply: { output: 30 } })
  const chat = await openai.chat.completions.create({ ...CHAT, stream: true }, asked)
  await assert.rejects(collect(chat), { type: 'server_error' })
  assert.deepEqual((await entryOf(provider, 'failed')).tokens.output, 5)
  const message = anthropic.messages.stream(MESSAGES, asking({ fault: 'error:5' })).finalMessage()
  await assert.rejects(message, { type: 'overloaded_error' })
  const response = openai.responses.stream(
    { model: 'gpt-4o', input: 'Hello' },
    asking({ fault: 'error:5' }),
  )
  await assert.rejects(response.finalResponse())
})

test('a wrong content length breaks the client but not the bill', async () => {
  const { openai, provider } = fixture()
  const asked = { ...asking({ label: 'length', fault: 'wrong-length' }), maxRetries: 0 }
  await assert.rejects(openai.chat.completions.create(CHAT, asked))
  const entry = await entryOf(provider, 'length')
  assert.equal(entry.outcome, 'cut')
  assert.equal(entry.tokens.output, entry.wantedOutput)
})

test('a slow stream keeps its pace, and what is in flight can be seen', async () => {
  const { openai, provider } = fixture()
  const stream = await openai.chat.completions.create(
    { ...CHAT, stream: true },
    asking({ label: 'slow', fault: 'slow:200', reply: { output: 30 } }),
  )
  const startedMs = performance.now()
  let watched = false
  for await (const chunk of stream) {
    if (watched || !chunk.choices[0]?.delta.content) continue
    const flying = await provider.inFlight()
    watched = flying.some((call) => call.label === 'slow' && call.generatedTokens > 0)
  }
  assert.ok(watched)
  // 30 tokens at 200 a second take 150 ms.
  assert.ok(performance.now() - startedMs > 100)
})

test('compressed answers and streams are read like plain ones', async () => {
  const { openai, anthropic } = fixture()
  const asked = asking({ config: { gzip: 'accepted' } })
  const whole = await openai.chat.completions.create(CHAT, asked)
  const { data: stream, response } = await openai.chat.completions
    .create({ ...CHAT, stream: true }, asked)
    .withResponse()
  assert.equal(response.headers.get('content-encoding'), 'gzip')
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  assert.equal(text, whole.choices[0]?.message.content)
  const message = await anthropic.messages.stream(MESSAGES, asked).finalMessage()
  assert.equal(message.stop_reason, 'end_turn')
})

test('a fault that does not exist is an error, not a quiet answer', async () => {
  const { openai } = fixture()
  const asked = { ...asking({ fault: 'sulk' }), maxRetries: 0 }
  await assert.rejects(openai.chat.completions.create(CHAT, asked), /no such fault: sulk/)
})
