import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { mock, test } from 'node:test'
import { quietRequestQueue } from '../../../../processor/src/log/kafka/request-queue.ts'

type Queue = {
  pending: unknown[]
  inflight: Map<number, unknown>
  throttledUntil: number
  checkPendingRequests(): void
  scheduleRequestTimeoutCheck(): void
  destroy(): void
}
const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (
  options: object,
) => Queue
const OPTIONS = { logger: { debug() {} }, maxInFlightRequests: 1 }

test('a connection with nothing to send sets no timer, and one that is throttled still does', (t) => {
  quietRequestQueue()
  quietRequestQueue()
  const timer = mock.method(globalThis, 'setTimeout')
  t.after(() => timer.mock.restore())
  const queue = new RequestQueue(OPTIONS)
  t.after(() => queue.destroy())
  queue.checkPendingRequests()
  assert.equal(timer.mock.callCount(), 0)
  queue.throttledUntil = Date.now() + 1000
  queue.checkPendingRequests()
  assert.equal(timer.mock.callCount(), 1)
})

test('a request without an answer times out within a second of its time, and others go on', (t) => {
  quietRequestQueue()
  t.mock.timers.enable({ apis: ['setInterval', 'Date'] })
  const queue = new RequestQueue({
    ...OPTIONS,
    requestTimeout: 10_000,
    enforceRequestTimeout: true,
    isConnected: () => true,
  })
  t.after(() => queue.destroy())
  const ended: string[] = []
  const request = (name: string, requestTimeout: number) => ({
    sentAt: Date.now(),
    requestTimeout,
    timeoutRequest: () => ended.push(name),
  })
  queue.inflight.set(1, request('short', 2500)).set(2, request('long', 60_000))
  queue.scheduleRequestTimeoutCheck()
  t.mock.timers.tick(2000)
  assert.deepEqual(ended, [])
  t.mock.timers.tick(1000)
  assert.deepEqual(ended, ['short'])
})
