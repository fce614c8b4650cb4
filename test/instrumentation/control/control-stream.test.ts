import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import type { Decision, StreamMessage } from '@tokenfuse/protocol'
import { createControlClient } from '../../../instrumentation/src/control/index.ts'
import type { ControlClient } from '../../../instrumentation/src/control/index.ts'
import { StreamHub } from '../../../processor/src/api/stream/hub.ts'
import { temporaryFolder } from '../telemetry/support/spool.ts'
import { startStreamServer } from './support/stream-server.ts'

function startClient(
  t: TestContext,
  url: string,
  more: { environment?: Record<string, string>; silenceMaxMs?: number } = {},
) {
  const client = createControlClient({
    environment: { TOKENFUSE_URL: url, ...more.environment },
    workingDirectory: temporaryFolder(t),
    guardId: 'guard-0001',
    ...(more.silenceMaxMs !== undefined && { silenceMaxMs: more.silenceMaxMs }),
  })
  t.after(() => client.close())
  return { client, messages: listen(client) }
}

/** Messages as they come: `await messages.next()`. */
function listen(client: ControlClient) {
  const came: StreamMessage[] = []
  const wanted: ((message: StreamMessage) => void)[] = []
  client.subscribe((message) => {
    const give = wanted.shift()
    if (give) give(message)
    else came.push(message)
  })
  return {
    next: () =>
      new Promise<StreamMessage>((resolve) => {
        const first = came.shift()
        if (first) resolve(first)
        else wanted.push(resolve)
      }),
  }
}

const policy = (version: number): StreamMessage => ({ type: 'policy', version, budgets: [] })

const decision: Decision = {
  id: 'd-1',
  version: 7,
  tenant: 'default',
  scope: 'agent=loop',
  budget: 'daily',
  rule: null,
  action: 'block',
  parameters: {},
  reason: 'budget used up',
  inputs: {
    unit: 'tokens',
    spent: '101',
    limit: '100',
    outstanding: '0',
    forecast: null,
    policyVersion: 1,
  },
  from: '2026-01-02T03:04:05.678Z',
  until: null,
  mode: 'enforce',
}

test('what the processor streams arrives whole and in order', async (t) => {
  const server = await startStreamServer(t)
  const { client, messages } = startClient(t, server.url, {
    environment: { TOKENFUSE_TOKEN: 'secret' },
  })
  const { request, response } = await server.next()
  assert.equal(request.url, '/v1/stream?guard=guard-0001')
  assert.equal(request.headers.authorization, 'Bearer secret')
  const hub = new StreamHub()
  t.after(() => hub.close())
  response.writeHead = () => response // The head has gone out already.
  const first: StreamMessage[] = [policy(1), { type: 'decisions', decisions: [decision] }]
  hub.open(response, 'guard-0001', 6, first)
  hub.send(7, { type: 'decision', decision }, null)
  assert.deepEqual(await messages.next(), first[0])
  assert.deepEqual(await messages.next(), first[1])
  assert.deepEqual(await messages.next(), { type: 'decision', decision })
  assert.equal(client.state().connected, true)
  assert.equal(client.state().badMessages, 0)
})

test('a stream that breaks is begun anew, from the last offset that was heard', async (t) => {
  const server = await startStreamServer(t)
  const { client, messages } = startClient(t, server.url)
  const first = await server.next()
  assert.equal(first.request.headers['last-event-id'], undefined)
  first.send(policy(1), 41)
  await messages.next()
  first.response.destroy()
  const second = await server.next()
  assert.equal(second.request.headers['last-event-id'], '41')
  second.send(policy(2), 42)
  assert.deepEqual(await messages.next(), policy(2))
  second.response.end()
  const third = await server.next()
  assert.equal(third.request.headers['last-event-id'], '42')
  client.close()
  await once(third.response, 'close')
  assert.equal(client.state().connected, false)
})

test('silence ends a stream, and a comment is no silence', async (t) => {
  const server = await startStreamServer(t)
  const { client } = startClient(t, server.url, { silenceMaxMs: 300 })
  const { response } = await server.next()
  let beats = 0
  const heartbeat = setInterval(() => {
    response.write(': \n\n')
    if (++beats === 6) clearInterval(heartbeat)
  }, 100)
  t.after(() => clearInterval(heartbeat))
  await once(response, 'close')
  assert.equal(beats, 6)
  assert.ok((client.state().lastMessageAtMs ?? 0) > 0)
  await server.next()
})

test('messages that are none are counted and left out, and those after them are heard', async (t) => {
  const server = await startStreamServer(t)
  const { client, messages } = startClient(t, server.url)
  const { send } = await server.next()
  const bad = [
    'no json',
    'null',
    '[]',
    {},
    { type: 'toString' },
    { type: 'policy', version: '1', budgets: [] },
    { type: 'policy', version: 1, budgets: [null] },
    { type: 'decision', decision: { ...decision, scope: 5 } },
    { type: 'decisions', decisions: {} },
    { type: 'credit', accounts: [{}] },
    { type: 'recall' },
    { type: 'of a later version' },
  ]
  for (const message of bad) send(message)
  send(`"${'x'.repeat(5 * 1024 * 1024)}"`)
  send(policy(3))
  assert.deepEqual(await messages.next(), policy(3))
  assert.equal(client.state().badMessages, bad.length + 1)
})

test('a listener that throws is kept from the others, and one that left hears no more', async (t) => {
  const server = await startStreamServer(t)
  const client = createControlClient({
    environment: { TOKENFUSE_URL: server.url },
    workingDirectory: temporaryFolder(t),
    guardId: 'guard-0001',
  })
  t.after(() => client.close())
  let heardByFirst = 0
  const leave = client.subscribe(() => {
    heardByFirst++
    throw new Error('on purpose')
  })
  const messages = listen(client)
  const { send } = await server.next()
  send(policy(1))
  await messages.next()
  leave()
  send(policy(2))
  assert.deepEqual(await messages.next(), policy(2))
  assert.equal(heardByFirst, 1)
})

test('an answer that is no stream is not taken for one, and the token is read again', async (t) => {
  const status = { now: 401 }
  const server = await startStreamServer(t, { status: () => status.now })
  const file = join(temporaryFolder(t), 'token')
  writeFileSync(file, 'old')
  const { client, messages } = startClient(t, server.url, {
    environment: { TOKENFUSE_TOKEN_FILE: file },
  })
  const refused = await server.next()
  assert.equal(refused.request.headers.authorization, 'Bearer old')
  refused.send(policy(1))
  writeFileSync(file, 'new\n')
  status.now = 200
  const taken = await server.next()
  assert.equal(taken.request.headers.authorization, 'Bearer new')
  taken.send(policy(2))
  assert.deepEqual(await messages.next(), policy(2))
  assert.equal(client.state().connected, true)
})

test('a page that says 200 is no stream either', async (t) => {
  const server = await startStreamServer(t, { type: 'text/html' })
  const { client } = startClient(t, server.url)
  const { response, send } = await server.next()
  send(policy(1))
  await once(response, 'close')
  assert.deepEqual(client.state(), { connected: false, lastMessageAtMs: null, badMessages: 0 })
})
