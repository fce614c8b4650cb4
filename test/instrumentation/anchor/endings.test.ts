import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { startFakeProcessor } from '../../support/preload/fake-processor.ts'
import type { ReceivedSpan } from '../../support/preload/fake-processor.ts'
import { anthropicEvents, CHAT_BODY, chatEvents } from '../../support/preload/llm-bodies.ts'
import { sendJson, startLlmServer } from '../../support/preload/llm-server.ts'
import { runApp } from '../../support/preload/run-app.ts'

const ask = `
  const url = process.argv[2]
  const ask = (model, rest = {}, path = '/v1/chat/completions') => fetch(url + path, {
    method: 'POST',
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], stream: true }),
    ...rest,
  })
`

const SIX_WORDS = 'one two three four five six'

test('errors of provider and network reach the app as they are and are recorded for what they cost', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (request, response) => {
    if (request.body.includes('"limited"')) {
      const error = { message: 'slow down', type: 'requests', code: 'rate_limit_exceeded' }
      return sendJson(response, { error }, 429)
    }
    if (request.body.includes('"broken"')) return void response.writeHead(503).end('<html>')
    if (request.body.includes('"reset"')) return void response.destroy()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(chatEvents(['one'], false)[0])
    setImmediate(() => response.destroy())
  })
  const nobody = await freeHost()
  const source = `${ask}
    for (const model of ['limited', 'broken', 'reset', 'cut']) {
      try {
        const response = await ask(model)
        console.log(model, response.status, await response.text())
      } catch (error) {
        console.log(model, error.constructor.name, error.message, error.cause?.code)
      }
    }
    await fetch(process.argv[3] + '/v1/chat/completions', { method: 'POST', body: '{"model":"refused"}' })
      .catch((error) => console.log(error.message, error.cause.code))
  `
  const env = {
    TOKENFUSE_URL: processor.url,
    TOKENFUSE_HOSTS: `${llm.hosts},${nobody}=openai`,
  }
  const args = [llm.url, `http://${nobody}`]
  const bare = await runApp(t, source, { args, env, preload: false })
  const metered = await runApp(t, source, { args, env })
  assert.deepEqual(metered, bare)
  const spans = await processor.waitForSpans(5)
  assert.deepEqual(byModel(spans), {
    // What the provider refuses it does not bill.
    limited: ['provider', 'rate_limit_exceeded', 429, undefined, undefined],
    broken: ['provider', '503', 503, undefined, undefined],
    refused: ['provider', 'ECONNREFUSED', undefined, undefined, undefined],
    // It may have been read and billed: "user" and "hi", 3 around the message, 3 before the answer.
    reset: ['estimate', 'UND_ERR_SOCKET', undefined, 8, undefined],
    cut: ['estimate', undefined, 200, 8, 1],
  })
})

test('however an app gives up a call, it is recorded once, with what was known by then', async (t) => {
  const processor = await startFakeProcessor(t)
  const disconnects: Promise<unknown>[] = []
  const llm = await startLlmServer(t, (request, response) => {
    disconnects.push(once(response, 'close'))
    if (request.body.includes('"silent"')) return
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const isAnthropic = request.path === '/v1/messages'
    const events = isAnthropic ? anthropicEvents([SIX_WORDS]) : chatEvents(['one', 'two'], false)
    response.write(events.slice(0, 3).join(''))
  })
  const source = `${ask}
    const first = async (response) => {
      const reader = response.body.getReader()
      await reader.read()
      return reader
    }
    const abort = new AbortController()
    const silent = ask('silent', { signal: abort.signal })
    setTimeout(() => abort.abort(), 100)
    await silent.catch((error) => console.log(error.name))

    await (await first(await ask('cancelled'))).cancel()
    for await (const _ of (await ask('left')).body) break
    const late = new AbortController()
    const reader = await first(await ask('aborted', { signal: late.signal }))
    late.abort()
    await reader.closed.catch((error) => console.log(error.name))
    await (await first(await ask('claude-left', {}, '/v1/messages'))).cancel()
    await first(await ask('claude', { signal: late.signal }).catch(() => ask('claude', {}, '/v1/messages')))
    await ask('unread')
    process.exit(3)
  `
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const { code, stdout, stderr } = await runApp(t, source, { args: [llm.url], env })
  assert.deepEqual([code, stdout, stderr], [3, 'AbortError\nAbortError\n', ''])
  const spans = await processor.waitForSpans(7)
  assert.equal(spans.length, 7)
  assert.deepEqual(byModel(spans), {
    silent: ['estimate', 'aborted', undefined, 8, undefined],
    cancelled: ['estimate', undefined, 200, 8, 2],
    left: ['estimate', undefined, 200, 8, 2],
    aborted: ['estimate', undefined, 200, 8, 2],
    // 20 + 30 as message_start says. It knows of one token of output; 27 characters were seen, and there is no time
    // to count them, so that they are taken for four to a token.
    'claude-left': ['estimate', undefined, 200, 50, 7],
    claude: ['estimate', undefined, 200, 50, 7],
    unread: ['estimate', undefined, 200, 8, undefined],
  })
  // Where the machine is slow, the first was given up before it had left.
  assert.ok(disconnects.length >= 6)
  await Promise.all(disconnects)
})

test('a call that is still under way when the process ends is recorded', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, () => {})
  const source = `${ask}
    ask('pending').catch(() => {})
    setTimeout(() => process.exit(), 100)
  `
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  assert.equal((await runApp(t, source, { args: [llm.url], env })).code, 0)
  const spans = await processor.waitForSpans(1)
  assert.deepEqual(byModel(spans), {
    pending: ['estimate', 'process_exit', undefined, 8, undefined],
  })
})

test('an answer that the app clones and reads twice is metered once', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  const source = `${ask}
    const response = await ask('cloned')
    const copy = response.clone()
    console.log((await response.json()).id, (await copy.json()).id, copy.url === response.url)
  `
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: llm.hosts }
  const { stdout } = await runApp(t, source, { args: [llm.url], env })
  assert.equal(stdout, 'chatcmpl-1 chatcmpl-1 true\n')
  const spans = await processor.waitForSpans(1)
  assert.deepEqual(byModel(spans), { cloned: ['provider', undefined, 200, 12, 5] })
})

/** A `host:port` where nobody listens. */
async function freeHost(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `127.0.0.1:${port}`
}

function byModel(spans: readonly ReceivedSpan[]): Record<string, unknown[]> {
  return Object.fromEntries(
    spans.map(({ attributes }) => [
      String(attributes['gen_ai.request.model']),
      [
        'tokenfuse.usage.source',
        'error.type',
        'http.response.status_code',
        'gen_ai.usage.input_tokens',
        'gen_ai.usage.output_tokens',
      ].map((name) => attributes[name]),
    ]),
  )
}
