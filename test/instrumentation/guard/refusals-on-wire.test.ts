import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decision } from '../../support/preload/decision.ts'
import { startFakeProcessor } from '../../support/preload/fake-processor.ts'
import { ANTHROPIC_BODY, CHAT_BODY } from '../../support/preload/llm-bodies.ts'
import { sendJson, startLlmServer } from '../../support/preload/llm-server.ts'
import { runApp } from '../../support/preload/run-app.ts'

const CALLS = `
  const { default: OpenAI } = load('openai')
  const { default: Anthropic } = load('@anthropic-ai/sdk')
  const url = process.argv[2]
  const messages = [{ role: 'user', content: 'hi' }]
  const openai = new OpenAI({ baseURL: url + '/v1' })
  const anthropic = new Anthropic({ baseURL: url })
  const chat = { model: 'gpt-4o-mini', messages }
  const message = { model: 'claude-3-5-sonnet-20241022', max_tokens: 9, messages }
  const attempts = {
    openai: () => openai.chat.completions.create(chat),
    'openai stream': () => openai.chat.completions.create({ ...chat, stream: true }),
    anthropic: () => anthropic.messages.create(message),
    'anthropic stream': () => anthropic.messages.create({ ...message, stream: true }),
    fetch: async () => {
      const response = await fetch(url + '/v1/chat/completions', { method: 'POST', body: JSON.stringify(chat) })
      throw Object.assign(new Error(await response.text()), { status: response.status, url: response.url === url + '/v1/chat/completions' })
    },
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt()
    } catch (error) {
      const { status, code, message, headers } = error
      console.log(JSON.stringify({ name, error: error.constructor.name, status, code, message, decision: headers?.get?.('x-tokenfuse-decision') }))
    }
  }
`

type Refused = {
  name: string
  error: string
  status: number
  code?: string
  message: string
  decision?: string
}

test('a blocked call reaches nobody, raises the typed error of each SDK once, and is recorded as refused', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  processor.send({
    type: 'decisions',
    decisions: [decision({ budget: 'per-task', scope: 'task=t-1' })],
  })
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts, TOKENFUSE_TASK: 't-1' }
  const { stdout, stderr } = await runApp(t, CALLS, { args: [llm.url], env })
  assert.equal(stderr, '')
  const refused = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Refused)
  assert.deepEqual(
    refused.map(({ name, error, status, code }) => [name, error, status, code]),
    [
      ['openai', 'RateLimitError', 429, 'insufficient_quota'],
      ['openai stream', 'RateLimitError', 429, 'insufficient_quota'],
      ['anthropic', 'RateLimitError', 429, undefined],
      ['anthropic stream', 'RateLimitError', 429, undefined],
      ['fetch', 'Error', 403, undefined],
    ],
  )
  for (const { message } of refused) {
    assert.match(message, /the task has used up its budget \(decision d-1, budget per-task\)/)
  }
  assert.equal(refused[0]?.decision, 'd-1')
  assert.deepEqual(llm.seen, [])

  // No SDK retried: each attempt was one call.
  const spans = await processor.waitForSpans(5)
  assert.equal(spans.length, 5)
  for (const { attributes } of spans) {
    assert.equal(attributes['error.type'], 'budget_exceeded')
    assert.equal(attributes['tokenfuse.decision.id'], 'd-1')
    assert.equal(attributes['tokenfuse.decision.action'], 'block')
    assert.equal(attributes['gen_ai.usage.input_tokens'], 0)
    assert.equal(attributes['gen_ai.usage.output_tokens'], 0)
  }
})

test('a throttled call is tried again by the SDKs after as long as they are told', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (request, response) => {
    sendJson(response, request.path === '/v1/messages' ? ANTHROPIC_BODY : CHAT_BODY)
  })
  const throttle = decision({ action: 'throttle', parameters: { retryAfterMs: 50 } })
  processor.send({ type: 'decisions', decisions: [throttle] })
  const app = `
    const { default: OpenAI } = load('openai')
    const { default: Anthropic } = load('@anthropic-ai/sdk')
    const url = process.argv[2]
    const messages = [{ role: 'user', content: 'hi' }]
    const openai = new OpenAI({ baseURL: url + '/v1', maxRetries: 9 })
    const anthropic = new Anthropic({ baseURL: url, maxRetries: 9 })
    const results = await Promise.all([
      openai.chat.completions.create({ model: 'm', messages }),
      anthropic.messages.create({ model: 'c', max_tokens: 9, messages }),
    ])
    console.log(results.map(({ id }) => id).join())
  `
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const running = runApp(t, app, { args: [llm.url], env })
  await processor.waitForSpans(2)
  processor.send({ type: 'decision', decision: { ...throttle, action: 'allow' } })
  assert.equal((await running).stdout, 'chatcmpl-1,msg_1\n')
})
