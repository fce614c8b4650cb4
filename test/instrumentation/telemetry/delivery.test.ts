import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { createDelivery } from '../../../instrumentation/src/telemetry/delivery.ts'
import { createHttpClient } from '../../../instrumentation/src/transport/http-client.ts'
import { aSpan } from './support/call.ts'
import { startReceiver } from './support/receiver.ts'

function delivery(t: TestContext, url: string, headers: () => Record<string, string> = () => ({})) {
  const client = createHttpClient()
  t.after(() => client.close())
  return createDelivery({
    client,
    holdsProcess: true,
    findTarget: () => ({
      url: new URL('/v1/traces', url),
      headers: headers(),
      dataDirectory: null,
    }),
  })
}

const batch = (count: number) => ({
  spans: Array.from({ length: count }, (_, n) => aSpan(n)),
  guardId: 'guard-0001',
  droppedSpans: 0,
})

test('every status means one thing: taken, never to be taken, or to be asked again', async (t) => {
  let status = 200
  const receiver = await startReceiver(t, () => ({ status }))
  const deliver = delivery(t, receiver.url)
  const meaningOf = async (answered: number) => {
    status = answered
    const outcome = await deliver(batch(1))
    return outcome.kind === 'retry' ? outcome.pace : outcome.kind
  }
  for (const final of [400, 413]) assert.equal(await meaningOf(final), 'refused', `${final}`)
  for (const soon of [408, 429, 500, 502, 503, 504]) {
    assert.equal(await meaningOf(soon), 'fast', `${soon}`)
  }
  for (const later of [301, 401, 403, 404, 405, 415]) {
    assert.equal(await meaningOf(later), 'slow', `${later}`)
  }
  for (const taken of [200, 202, 204]) assert.equal(await meaningOf(taken), 'acknowledged')
})

test('Retry-After is heeded, in seconds and as a date, and an absurd one is bounded', async (t) => {
  let header = ''
  const receiver = await startReceiver(t, () => ({
    status: 503,
    headers: { 'retry-after': header },
  }))
  const deliver = delivery(t, receiver.url)
  const afterMs = async (text: string) => {
    header = text
    const outcome = await deliver(batch(1))
    return outcome.kind === 'retry' ? outcome.afterMs : assert.fail()
  }
  assert.equal(await afterMs('7'), 7000)
  assert.equal(await afterMs('999999999'), 600_000)
  assert.equal(await afterMs('soon'), null)
  assert.equal(await afterMs('Thu, 01 Jan 1970 00:00:00 GMT'), 0)
  const inAMinute = await afterMs(new Date(Date.now() + 60_000).toUTCString())
  assert.ok(inAMinute !== null && inAMinute > 50_000 && inAMinute <= 60_000, `${inAMinute}`)
})

test('what a partial success rejects is read, whatever else the answer holds', async (t) => {
  let body = ''
  const receiver = await startReceiver(t, () => ({ status: 200, body }))
  const deliver = delivery(t, receiver.url)
  const rejectedFor = async (answer: string) => {
    body = answer
    const outcome = await deliver(batch(3))
    return outcome.kind === 'acknowledged' ? outcome.rejectedSpans : assert.fail()
  }
  assert.equal(await rejectedFor('{"partialSuccess":{"rejectedSpans":"2"}}'), 2)
  assert.equal(await rejectedFor('{"partialSuccess":{"rejectedSpans":1}}'), 1)
  for (const nothing of ['', '{}', 'null', '[]', '"x"', '{"partialSuccess":{}}', '\xff', '{"par']) {
    assert.equal(await rejectedFor(nothing), 0, nothing)
  }
  assert.equal(await rejectedFor(`{"partialSuccess":"${'x'.repeat(200_000)}"}`), 0)
})

test('a large batch goes compressed, a small one plain, and both are understood', async (t) => {
  const receiver = await startReceiver(t)
  const deliver = delivery(t, receiver.url)
  await deliver(batch(1))
  await deliver(batch(300))
  const [small, large] = receiver.requests
  assert.equal(small?.headers['content-encoding'], undefined)
  assert.equal(small?.headers['content-type'], 'application/json')
  assert.equal(large?.headers['content-encoding'], 'gzip')
  assert.equal(large?.spanIds.length, 300)
})

test('a rotated token is used after the next refusal, and not read before', async (t) => {
  let valid = 'old'
  let token = 'old'
  let reads = 0
  const receiver = await startReceiver(t, ({ headers }) => ({
    status: headers.authorization === `Bearer ${valid}` ? 200 : 401,
  }))
  const deliver = delivery(t, receiver.url, () => {
    reads++
    return { authorization: `Bearer ${token}` }
  })
  for (let n = 0; n < 3; n++) assert.equal((await deliver(batch(1))).kind, 'acknowledged')
  assert.equal(reads, 1)
  valid = token = 'new'
  assert.equal((await deliver(batch(1))).kind, 'retry')
  assert.equal((await deliver(batch(1))).kind, 'acknowledged')
})

test('a settings error or a header that cannot be sent is an outcome, not an exception', async (t) => {
  const receiver = await startReceiver(t)
  const broken = createDelivery({
    client: createHttpClient(),
    holdsProcess: true,
    findTarget: () => {
      throw new Error('no address')
    },
  })
  assert.equal((await broken(batch(1))).kind, 'retry')
  const deliver = delivery(t, receiver.url, () => ({ authorization: 'Bearer two\nlines' }))
  assert.equal((await deliver(batch(1))).kind, 'retry')
  assert.equal(receiver.attempts.length, 0)
})

test('spans count as taken once the status says so, even where the connection breaks after it', async (t) => {
  const { url } = await startRawServer(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"part')
    socket.destroySoon()
  })
  assert.equal((await delivery(t, url)(batch(1))).kind, 'acknowledged')
})

test('a connection that the server closed while it was idle costs no retry', async (t) => {
  let sockets = 0
  const { url } = await startRawServer(t, (socket) => {
    // The first one answers and then, unannounced, hears no more: the next request on it finds a reset.
    const answersBeforeReset = ++sockets === 1 ? 1 : Infinity
    let answered = 0
    socket.on('data', () => {
      if (answered++ >= answersBeforeReset) socket.resetAndDestroy()
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}')
    })
  })
  const deliver = delivery(t, url)
  assert.equal((await deliver(batch(1))).kind, 'acknowledged')
  assert.equal((await deliver(batch(1))).kind, 'acknowledged')
  assert.equal(sockets, 2)
})

test('nobody at the address, and somebody who hangs up: asked again soon', async (t) => {
  const { url, close } = await startRawServer(t, (socket) => socket.destroy())
  assert.deepEqual(await delivery(t, url)(batch(1)), { kind: 'retry', pace: 'fast', afterMs: null })
  close()
  assert.deepEqual(await delivery(t, url)(batch(1)), { kind: 'retry', pace: 'fast', afterMs: null })
})

async function startRawServer(t: TestContext, onSocket: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    onSocket(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() }
}
