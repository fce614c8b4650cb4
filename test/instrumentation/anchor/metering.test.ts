import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFakeProcessor } from '../../support/preload/fake-processor.ts'
import type { ReceivedSpan } from '../../support/preload/fake-processor.ts'
import {
  ANTHROPIC_BODY,
  anthropicEvents,
  CHAT_BODY,
  chatEvents,
  RESPONSES_BODY,
} from '../../support/preload/llm-bodies.ts'
import {
  asksForUsage,
  sendEvents,
  sendJson,
  startLlmServer,
  wantsStream,
} from '../../support/preload/llm-server.ts'
import type { Answer } from '../../support/preload/llm-server.ts'
import { runApp } from '../../support/preload/run-app.ts'

const answer: Answer = (request, response) => {
  const words = ['Hello', ' there', '.']
  if (request.path === '/v1/messages') {
    if (wantsStream(request)) return sendEvents(response, anthropicEvents(words))
    return sendJson(response, ANTHROPIC_BODY)
  }
  if (request.path === '/v1/responses') return sendJson(response, RESPONSES_BODY)
  if (wantsStream(request)) return sendEvents(response, chatEvents(words, asksForUsage(request)))
  return sendJson(response, CHAT_BODY)
}

const SDK_APP = `
  const { default: OpenAI } = load('openai')
  const { default: Anthropic } = load('@anthropic-ai/sdk')
  const url = process.argv[2]
  const openai = new OpenAI({ baseURL: url + '/v1' })
  const anthropic = new Anthropic({ baseURL: url })
  const show = (value) => console.log(JSON.stringify(value))
  const messages = [{ role: 'user', content: 'hi' }]
  const chat = { model: 'gpt-4o-mini', messages }
  show(await openai.chat.completions.create(chat))
  for await (const chunk of await openai.chat.completions.create({ ...chat, stream: true })) show(chunk)
  const asked = { ...chat, stream: true, stream_options: { include_usage: true } }
  for await (const chunk of await openai.chat.completions.create(asked)) show(chunk)
  show(await openai.responses.create({ model: 'gpt-4o-mini', input: 'hi' }))
  const system = 'Be brief. '.repeat(20)
  const message = { model: 'claude-3-5-sonnet-20241022', max_tokens: 99, messages, system }
  show(await anthropic.messages.create(message))
  for await (const event of await anthropic.messages.create({ ...message, stream: true })) show(event)
`

test('real SDKs get the very same objects with and without the preload, and every call is metered', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, answer)
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const bare = await runApp(t, SDK_APP, { args: [llm.url], env, preload: false })
  const metered = await runApp(t, SDK_APP, { args: [llm.url], env })
  assert.equal(bare.code, 0)
  assert.deepEqual(metered, bare)

  const spans = await processor.waitForSpans(6)
  assert.deepEqual(spans.map(usageOf).sort(), [
    'chat chatcmpl-1 12+5 provider',
    'chat chatcmpl-2 12+3 provider',
    'chat chatcmpl-2 12+3 provider',
    // 20 uncached + 30 read from the cache
    'chat msg_1 50+7 provider',
    'chat msg_2 50+3 provider',
    'chat resp_1 40+9 provider',
  ])
  const responses = spans.find((span) => span.attributes['gen_ai.response.id'] === 'resp_1')
  assert.equal(responses?.attributes['gen_ai.usage.cache_read.input_tokens'], 8)
  assert.equal(responses?.attributes['gen_ai.usage.reasoning.output_tokens'], 4)
  assert.equal(responses?.attributes['server.address'], '127.0.0.1')
  const systemTokens = (id: string) =>
    spans.find((span) => span.attributes['gen_ai.response.id'] === id)?.attributes[
      'tokenfuse.usage.system.input_tokens'
    ]
  assert.equal(systemTokens('chatcmpl-1'), 0)
  // 200 of some 320 characters, of 50 tokens
  const ofMessage = Number(systemTokens('msg_1'))
  assert.ok(ofMessage >= 25 && ofMessage <= 40, `${ofMessage}`)
})

test('the bytes, headers and address of an answer are those that were sent', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (request, response) => {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'x-request-id': 'r-1',
      'set-cookie': ['a=1', 'b=2'],
    })
    response.end(chatEvents(['ü', '\u{1F600}'], asksForUsage(request)).join(''))
  })
  const source = `
    const response = await fetch(process.argv[2] + '/v1/chat/completions', {
      method: 'POST',
      body: JSON.stringify({ model: 'gpt-4o-mini', stream: true, messages: [] }),
    })
    const { status, statusText, ok, url, redirected, type } = response
    const headers = [...response.headers].filter(([name]) => name !== 'date')
    const bytes = Buffer.from(await response.arrayBuffer()).toString('base64')
    console.log(JSON.stringify({ status, statusText, ok, url, redirected, type, headers, bytes }))
    console.log(response.constructor === Response, response.bodyUsed)
  `
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const bare = await runApp(t, source, { args: [llm.url], env, preload: false })
  const metered = await runApp(t, source, { args: [llm.url], env })
  assert.deepEqual(metered, bare)
  assert.deepEqual((await processor.waitForSpans(1)).map(usageOf), [
    'chat chatcmpl-2 12+2 provider',
  ])
})

test('a body is read from whatever fetch takes, and what cannot be read is metered all the same', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  const source = `
    const url = process.argv[2] + '/v1/chat/completions'
    const text = JSON.stringify({ model: 'm', max_tokens: 7, messages: [] })
    const bytes = new TextEncoder().encode(text)
    const post = { method: 'POST' }
    const stream = () => new Blob([text]).stream()
    const answers = [
      await fetch(url, { ...post, body: text }),
      await fetch(new URL(url), { ...post, body: bytes }),
      await fetch(url, { ...post, body: bytes.buffer }),
      await fetch(url, { ...post, body: new DataView(bytes.buffer) }),
      await fetch(new Request(url, { ...post, body: text })),
      await fetch(new Request(url, { ...post, body: 'other' }), { body: text }),
      await fetch(url, { ...post, body: stream(), duplex: 'half' }),
      await fetch({ toString: () => url }, { ...post, body: text }),
    ]
    for (const answer of answers) console.log((await answer.json()).id)
  `
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const { code, stderr } = await runApp(t, source, { args: [llm.url], env })
  assert.deepEqual([code, stderr], [0, ''])
  const spans = await processor.waitForSpans(8)
  const models = spans.map(({ attributes }) => attributes['gen_ai.request.model'])
  assert.deepEqual(models.filter((model) => model === 'm').length, 7)
  assert.deepEqual(
    models.filter((model) => model !== 'm'),
    ['unknown'],
  )
  assert.ok(spans.every((span) => usageOf(span) === 'chat chatcmpl-1 12+5 provider'))
  const bodies = new Set(llm.seen.map(({ body }) => body))
  assert.deepEqual([...bodies], [JSON.stringify({ model: 'm', max_tokens: 7, messages: [] })])
})

test('what is no model call passes untouched and unseen', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (request, response) => {
    sendJson(response, { path: request.path, body: request.body })
  })
  const source = `
    const url = process.argv[2]
    const init = { method: 'POST', headers: { traceparent: 'mine' }, body: '{"stream":true}' }
    for (const [path, options] of [
      ['/v1/models', undefined],
      ['/v1/chat/completions', { method: 'GET' }],
      ['/v1/messages/count_tokens', init],
      ['/elsewhere', init],
    ]) console.log(JSON.stringify(await (await fetch(url + path, options)).json()))
    await fetch('not an address', init).catch((error) => console.log(error.message, error.cause?.code))
    await fetch(url + '/v1/messages', { method: 'POST', headers: { 'bad name': '' } }).catch((error) => console.log(error.message))
    await fetch(url + '/v1/messages', { method: 'POST', signal: AbortSignal.abort() }).catch((error) => console.log(error.name))
    await fetch().catch((error) => console.log(error.message))
    console.log(fetch.name, fetch.length, Object.keys(globalThis).includes('fetch'))
  `
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const bare = await runApp(t, source, { args: [llm.url], env, preload: false })
  const metered = await runApp(t, source, { args: [llm.url], env })
  assert.deepEqual(metered, bare)
  assert.deepEqual(processor.spans, [])
  assert.ok(llm.seen.some(({ headers }) => headers['traceparent'] === 'mine'))
})

function usageOf({ attributes }: ReceivedSpan): string {
  const [operation, id, input, output, source] = [
    'gen_ai.operation.name',
    'gen_ai.response.id',
    'gen_ai.usage.input_tokens',
    'gen_ai.usage.output_tokens',
    'tokenfuse.usage.source',
  ].map((name) => String(attributes[name]))
  return `${operation} ${id} ${input}+${output} ${source}`
}
