import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFakeProcessor } from '../../support/preload/fake-processor.ts'
import { CHAT_BODY } from '../../support/preload/llm-bodies.ts'
import { sendJson, startLlmServer } from '../../support/preload/llm-server.ts'
import { runApp } from '../../support/preload/run-app.ts'

test('trace context and baggage stop short of a provider, wherever in the app they are added', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  // An instrumentation of undici adds its headers to the request that undici is about to send.
  const source = `
    import { subscribe } from 'node:diagnostics_channel'
    const private_ = {
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
      baggage: 'user.id=u-1',
    }
    subscribe('undici:request:create', ({ request }) => {
      for (const [name, value] of Object.entries(private_)) request.addHeader(name, value)
    })
    const [url] = process.argv.slice(2)
    const send = (path, headers) => fetch(url + path, { method: 'POST', headers, body: '{"model":"m"}' })
    const own = { ...private_, 'x-kept': 'yes', authorization: 'Bearer k' }
    await (await send('/v1/chat/completions', own)).text()
    await (await send('/v1/chat/completions', new Headers(own))).text()
    await (await send('/v1/chat/completions', Object.entries(own))).text()
    await (await fetch(new Request(url + '/v1/chat/completions', { method: 'POST', headers: own, body: '{}' }))).text()
    await (await send('/v1/files', own)).text()
    console.log(JSON.stringify(own))
  `
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const { code, stdout, stderr } = await runApp(t, source, { args: [llm.url], env })
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /"baggage":"user.id=u-1"/, 'what belongs to the app is not changed')
  assert.equal(llm.seen.length, 5)
  for (const { path, headers } of llm.seen) {
    const isProvider = path !== '/v1/files'
    assert.equal(headers['x-kept'], 'yes')
    assert.equal(headers['authorization'], 'Bearer k')
    for (const name of ['traceparent', 'tracestate', 'baggage']) {
      assert.equal(headers[name] === undefined, isProvider, `${name} to ${path}`)
    }
  }
})

test('nothing of tokenfuse goes to a provider', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  const source = `
    const { default: OpenAI } = load('openai')
    const client = new OpenAI({ baseURL: process.argv[2] + '/v1' })
    await client.chat.completions.create({ model: 'm', messages: [] })
  `
  const env = {
    TOKENFUSE_URL: processor.url,
    TOKENFUSE_HOSTS: llm.hosts,
    TOKENFUSE_AGENT: 'secret-agent',
    TOKENFUSE_USER: 'secret-user',
    TOKENFUSE_TOKEN: 'secret-token',
  }
  await runApp(t, source, { args: [llm.url], env, preload: false })
  await runApp(t, source, { args: [llm.url], env })
  const [bare, metered] = llm.seen
  assert.deepEqual(metered, bare)
})
