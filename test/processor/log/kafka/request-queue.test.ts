import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { mock, test } from 'node:test'
import { quietRequestQueue } from '../../../../processor/src/log/kafka/request-queue.ts'

type Queue = {
  pending: unknown[]
  throttledUntil: number
  checkPendingRequests(): void
  destroy(): void
}
const RequestQueue = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as new (
  options: object,
) => Queue

test('a connection with nothing to send sets no timer, and one that is throttled still does', (t) => {
  quietRequestQueue()
  quietRequestQueue()
  const timer = mock.method(globalThis, 'setTimeout')
  t.after(() => timer.mock.restore())
  const queue = new RequestQueue({ logger: { debug() {} }, maxInFlightRequests: 1 })
  t.after(() => queue.destroy())
  queue.checkPendingRequests()
  assert.equal(timer.mock.callCount(), 0)
  queue.throttledUntil = Date.now() + 1000
  queue.checkPendingRequests()
  assert.equal(timer.mock.callCount(), 1)
})
