import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFakeProcessor } from '../../support/preload/fake-processor.ts'
import { chatEvents } from '../../support/preload/llm-bodies.ts'
import {
  asksForUsage,
  sendEvents,
  sendJson,
  startLlmServer,
} from '../../support/preload/llm-server.ts'
import { runApp } from '../../support/preload/run-app.ts'

const BODY = '{"model":"m","stream":true,"messages":[{"role":"user","content":"hi"}]}'
const ask = `
  const ask = async (headers = {}) => {
    const response = await fetch(process.argv[2] + '/v1/chat/completions', {
      method: 'POST', headers, body: '${BODY}',
    })
    console.log(response.status, response.url === process.argv[2] + '/v1/chat/completions', await response.text())
  }
`

test('a host that declines the question gets the app’s own body at once, and is never asked again', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (request, response) => {
    if (!asksForUsage(request)) return sendEvents(response, chatEvents(['a'], false))
    sendJson(response, { error: { message: 'Unknown parameter: stream_options' } }, 400)
  })
  const source = `${ask}
    await ask()
    await ask()
  `
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const bare = await runApp(t, source, { args: [llm.url], env, preload: false })
  const before = llm.seen.length
  assert.deepEqual(await runApp(t, source, { args: [llm.url], env }), bare)
  const asked = llm.seen.slice(before).map(asksForUsage)
  assert.deepEqual(asked, [true, false, false])
  assert.ok(llm.seen.slice(before + 1).every(({ body }) => body === BODY))

  const spans = await processor.waitForSpans(2)
  assert.equal(spans.length, 2)
  const problems = spans.map(({ attributes }) => String(attributes['tokenfuse.usage.problems']))
  assert.equal(problems.filter((each) => each.includes('include_usage_declined')).length, 1)
})

test('any other refusal of a changed body is the app’s to see, once and whole', async (t) => {
  const processor = await startFakeProcessor(t)
  // Longer than what is searched for the reason.
  const filler = 'x'.repeat(40_000)
  const llm = await startLlmServer(t, (_request, response) => {
    sendJson(response, { error: { message: `no such model ${filler}`, type: 'invalid' } }, 422)
  })
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const source = `${ask} await ask()`
  const bare = await runApp(t, source, { args: [llm.url], env, preload: false })
  const metered = await runApp(t, source, { args: [llm.url], env })
  assert.deepEqual(metered, bare)
  assert.equal(llm.seen.length, 2)
  const [span] = await processor.waitForSpans(1)
  assert.equal(span?.attributes['error.type'], 'invalid')
})

test('nobody is asked who is not known to accept it, and nothing that is signed is changed', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (_request, response) => {
    sendEvents(response, chatEvents(['a'], false))
  })
  const source = `${ask}
    await ask({ authorization: 'AWS4-HMAC-SHA256 Credential=x' })
    await ask({ 'content-digest': 'sha-256=:x:' })
  `
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  await runApp(t, source, { args: [llm.url], env })
  const unknown = { ...env, TOKENFUSE_HOSTS: `${llm.host}=openai` }
  await runApp(t, `${ask} await ask()`, { args: [llm.url], env: unknown })
  assert.equal(llm.seen.length, 3)
  assert.ok(llm.seen.every(({ body }) => body === BODY))
})

test('a changed body has its own length', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (request, response) => {
    sendEvents(response, chatEvents(['a'], asksForUsage(request)))
  })
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const source = `${ask} await ask({ 'content-length': '${BODY.length}' })`
  const { code } = await runApp(t, source, { args: [llm.url], env })
  assert.equal(code, 0)
  assert.deepEqual(llm.seen.map(asksForUsage), [true])
})
