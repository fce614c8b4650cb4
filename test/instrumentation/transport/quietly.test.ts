import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import test from 'node:test'
import { context, ROOT_CONTEXT } from '@opentelemetry/api'
import type { Context, ContextManager } from '@opentelemetry/api'
import { isTracingSuppressed } from '@opentelemetry/core'
import { exchange } from '../../../instrumentation/src/transport/exchange.ts'
import { createHttpClient } from '../../../instrumentation/src/transport/http-client.ts'
import { quietly } from '../../../instrumentation/src/transport/quietly.ts'

/** As OpenTelemetry's own for Node, in short. */
class StorageContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>()
  active = () => this.#storage.getStore() ?? ROOT_CONTEXT
  with: ContextManager['with'] = (given, work, self, ...args) =>
    this.#storage.run(given, () => work.call(self as never, ...args))
  bind = <T>(_: Context, target: T) => target
  enable = () => this
  disable = () => this
}

test('nothing of the app is seen by our requests, and nothing of them by its tracing', async (t) => {
  quietly(() => {}) // As the preload does when it starts.
  const store = new AsyncLocalStorage<string>()
  store.run('of the app', () => quietly(() => assert.equal(store.getStore(), undefined)))
  assert.equal(
    quietly(() => 7),
    7,
  )

  context.setGlobalContextManager(new StorageContextManager())
  t.after(() => context.disable())
  quietly(() => assert.equal(isTracingSuppressed(context.active()), true))
  assert.equal(isTracingSuppressed(context.active()), false)
})

test('a request is made with tracing suppressed, wherever an instrumentation looks', async (t) => {
  context.setGlobalContextManager(new StorageContextManager())
  t.after(() => context.disable())
  const { channel } = await import('node:diagnostics_channel')
  const seen: boolean[] = []
  const look = () => seen.push(isTracingSuppressed(context.active()))
  const names = ['http.client.request.created', 'http.client.request.start']
  for (const name of names) channel(name).subscribe(look)
  t.after(() => names.forEach((name) => channel(name).unsubscribe(look)))

  const server = createServer((_, response) => response.end('{}'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = createHttpClient()
  t.after(() => {
    client.close()
    server.close()
  })
  const { status } = await exchange(client, {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    method: 'POST',
    headers: {},
    body: '{}',
    holdsProcess: true,
    timeoutMs: 1000,
    maxAnswerBytes: 100,
  })
  assert.equal(status, 200)
  assert.deepEqual(seen, [true, true])
})

test('a context manager that throws does not keep a request from being made', (t) => {
  const manager = new StorageContextManager()
  manager.active = () => {
    throw new Error('on purpose')
  }
  context.setGlobalContextManager(manager)
  t.after(() => context.disable())
  assert.equal(
    quietly(() => 7),
    7,
  )
})
