import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { StreamHub } from '../../../../processor/src/api/stream/hub.ts'

const recall = (budget: string) =>
  ({ type: 'recall', accounts: [{ budget, scope: '*', windowFromMs: 0 }] }) as const

/** A server whose every request, with its path as guard, becomes a stream of the hub. */
async function serve(
  t: TestContext,
  hub: StreamHub,
): Promise<(guard: string) => Promise<IncomingMessage>> {
  const server = createServer((request, response) => {
    hub.open(response, request.url?.slice(1) ?? '', 7, [recall('first')])
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return async (guard) => {
    const [response] = await once(get(`http://127.0.0.1:${port}/${guard}`), 'response')
    response.on('error', () => {})
    return response
  }
}

async function readUntil(response: IncomingMessage, wanted: RegExp): Promise<string> {
  let text = ''
  response.setEncoding('utf8')
  for await (const chunk of response.iterator({ destroyOnReturn: false })) {
    text += String(chunk)
    if (wanted.test(text)) return text
  }
  throw new Error(`the stream ended without ${wanted}`)
}

test('a message for one guard reaches its streams alone, one for all reaches all, each with its offset', async (t) => {
  const hub = new StreamHub()
  const open = await serve(t, hub)
  const [a, b] = [await open('a'), await open('b')]
  hub.send(8, recall('mine'), 'a')
  hub.send(9, recall('everyone'), null)
  const texts = await Promise.all([readUntil(a, /everyone/), readUntil(b, /everyone/)])
  const events = texts.map((text) =>
    [...text.matchAll(/event: recall\nid: (\d+)\ndata: .*?"budget":"(\w+)".*\n\n/g)].map((match) =>
      match.slice(1),
    ),
  )
  assert.deepEqual(events, [
    [
      ['7', 'first'],
      ['8', 'mine'],
      ['9', 'everyone'],
    ],
    [
      ['7', 'first'],
      ['9', 'everyone'],
    ],
  ])
})

test('a reader that does not read is cut off within a bound, and others go on', async (t) => {
  const hub = new StreamHub()
  const open = await serve(t, hub)
  const slow = await open('slow')
  slow.pause()
  const cut = new Promise((resolve) => slow.on('close', resolve))
  const fast = await open('fast')
  const long = recall('x'.repeat(100_000))
  for (let sent = 0; sent < 1000 && hub.size === 2; sent++) {
    hub.send(10, long, 'slow')
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(hub.size, 1, '100 MB were not taken')
  slow.resume()
  await cut
  hub.send(11, recall('still'), null)
  await readUntil(fast, /still/)
})

test('a comment comes every five seconds, so that a reader can tell a dead connection from a quiet one', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const hub = new StreamHub()
  const open = await serve(t, hub)
  const response = await open('a')
  t.mock.timers.tick(5000)
  await readUntil(response, /\n: \n\n/)
})
