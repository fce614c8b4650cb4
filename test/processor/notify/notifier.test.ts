import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Notification } from '@tokenfuse/protocol'
import { MetricRegistry } from '../../../processor/src/metrics/registry.ts'
import { Notifier } from '../../../processor/src/notify/notifier.ts'
import { temporaryFolder } from '../../support/processor.ts'

function notification(id: string): Notification {
  return {
    id,
    time: '2026-06-01T00:00:00.000Z',
    source: 'rule',
    name: 'agent_spike',
    severity: 'P2',
    action: 'investigate_agent',
    scope: 'agent=a',
    text: `Agent a token usage spiked (${id})`,
  }
}

type Received = { readonly id: string; readonly text: string }

/** A webhook that answers as it is told, and then with 200. */
async function webhook(t: TestContext, ...answers: number[]) {
  const received: Received[] = []
  let arrived = () => {}
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      const { text, tokenfuse } = JSON.parse(body) as { text: string; tokenfuse: Notification }
      received.push({ id: tokenfuse.id, text })
      response.writeHead(answers.shift() ?? 200).end()
      arrived()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/SECRET`
  const until = async (count: number) => {
    while (received.length < count) await new Promise<void>((resolve) => (arrived = resolve))
  }
  return { url, received, until, ids: () => received.map(({ id }) => id) }
}

/** An address at which nobody answers. */
async function deafUrl(): Promise<string> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return `http://127.0.0.1:${port}/services/SECRET`
}

function notifier(folder: string) {
  const metrics = new MetricRegistry()
  const lines: string[] = []
  const made = new Notifier({
    path: join(folder, 'notifications.json'),
    metrics,
    log: (line) => lines.push(line),
    firstRetryMs: 5,
  })
  return { made, lines, metrics }
}

test('a webhook that fails first is tried again until it has taken everything, in order', async (t) => {
  const hook = await webhook(t, 500, 503, 200, 429)
  const { made, metrics } = notifier(temporaryFolder(t))
  made.setTarget(hook.url)
  made.offer(notification('one'))
  made.offer(notification('two'))
  await hook.until(5)
  assert.deepEqual(hook.ids(), ['one', 'one', 'one', 'two', 'two'])
  assert.equal(
    hook.received[0]?.text,
    '[P2] Agent a token usage spiked (one) (tokenfuse report --agent "a")',
  )
  await made.close()
  const { to, waiting, sent, problem } = made.status()
  assert.deepEqual([to, waiting, sent, problem], [new URL(hook.url).host, 0, 2, null])
  assert.match(metrics.render(), /tokenfuse_notifications_total\{outcome="failed"\} 3/)
  assert.match(metrics.render(), /tokenfuse_notifications_total\{outcome="sent"\} 2/)
})

test('a notification is sent once, however often it is offered', async (t) => {
  const hook = await webhook(t)
  const folder = temporaryFolder(t)
  const { made } = notifier(folder)
  made.setTarget(hook.url)
  made.offer(notification('one'))
  made.offer(notification('one'))
  await hook.until(1)
  made.offer(notification('one'))
  made.offer(notification('two'))
  await hook.until(2)
  await made.close()
  // As after a crash, when entries of the log are applied again.
  const again = notifier(folder)
  again.made.setTarget(hook.url)
  again.made.offer(notification('one'))
  again.made.offer(notification('three'))
  await hook.until(3)
  await again.made.close()
  assert.deepEqual(hook.ids(), ['one', 'two', 'three'])
})

test('what could not be sent before the process ended is sent by the next one', async (t) => {
  const folder = temporaryFolder(t)
  const hook = await webhook(t, 500)
  const first = notifier(folder)
  first.made.setTarget(hook.url)
  first.made.offer(notification('one'))
  await hook.until(1)
  await first.made.close()
  assert.equal(first.made.status().waiting, 1)
  const second = notifier(folder)
  second.made.setTarget(hook.url)
  await hook.until(2)
  await second.made.close()
  assert.deepEqual(hook.ids(), ['one', 'one'])
})

test('a webhook that does not answer holds up no end, and is tried again by the next process', async (t) => {
  const server = createServer(() => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { made } = notifier(temporaryFolder(t))
  const asked = once(server, 'request')
  made.setTarget(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  made.offer(notification('one'))
  await asked
  const startMs = performance.now()
  await made.close()
  assert.ok(performance.now() - startMs < 5000)
  assert.equal(made.status().waiting, 1)
})

test('a webhook that refuses for good holds nobody up, and its address is never told', async (t) => {
  const hook = await webhook(t, 404)
  const { made, lines, metrics } = notifier(temporaryFolder(t))
  made.setTarget(hook.url)
  made.offer(notification('one'))
  made.offer(notification('two'))
  await hook.until(2)
  assert.deepEqual(hook.ids(), ['one', 'two'])
  assert.match(metrics.render(), /outcome="rejected"\} 1/)
  made.setTarget(await deafUrl())
  made.offer(notification('three'))
  while (made.status().problem === null) await new Promise((resolve) => setImmediate(resolve))
  assert.match(made.status().problem ?? '', /cannot be reached: ECONNREFUSED/)
  await made.close()
  assert.match(lines.join('\n'), /it is given up: the webhook answered 404/)
  assert.doesNotMatch(lines.join('\n') + JSON.stringify(made.status()), /SECRET/)
})

test('of more than a thousand that wait the oldest go, and are counted', async (t) => {
  const { made, metrics } = notifier(temporaryFolder(t))
  made.setTarget('http://127.0.0.1:1/')
  for (let index = 0; index < 1003; index++) made.offer(notification(`n${index}`))
  assert.equal(made.status().waiting, 1000)
  await made.close()
  assert.match(metrics.render(), /outcome="dropped"\} 3/)
})

test('a name from outside calls nobody in a chat', async (t) => {
  const hook = await webhook(t)
  const { made } = notifier(temporaryFolder(t))
  made.setTarget(hook.url)
  made.offer({ ...notification('one'), action: 'warn', text: 'Agent <!channel> & co' })
  await hook.until(1)
  await made.close()
  assert.equal(hook.received[0]?.text, '[P2] Agent &lt;!channel&gt; &amp; co')
})

test('without a webhook nobody is told, and nothing is kept', (t) => {
  const { made } = notifier(temporaryFolder(t))
  made.offer(notification('one'))
  assert.deepEqual(made.status(), { to: null, waiting: 0, sent: 0, problem: null })
})
