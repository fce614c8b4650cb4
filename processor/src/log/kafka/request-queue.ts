import { createRequire } from 'node:module'

/** What is used of kafkajs's own queue of requests to one broker. */
type RequestQueue = {
  readonly pending: { readonly length: number }
  readonly inflight: ReadonlyMap<number, InFlightRequest>
  /** Milliseconds since 1970. */
  readonly throttledUntil: number
  readonly enforceRequestTimeout: boolean
  requestTimeoutIntervalId: NodeJS.Timeout | null
  isConnected(): boolean
  destroy(): void
}
type InFlightRequest = {
  /** Milliseconds since 1970. */
  readonly sentAt: number
  /** Milliseconds. */
  readonly requestTimeout: number
  timeoutRequest(): void
}
type Schedule = (this: RequestQueue) => void
type Methods = {
  scheduleCheckPendingRequests: Schedule
  scheduleRequestTimeoutCheck: Schedule
}

/** How late a request may be found to have timed out. */
const TIMEOUT_CHECK_MS = 1000

let isQuiet = false

/**
 * Stops a connection of kafkajs 2.2.4 that has nothing to do from waking up a thousand times a second
 * (https://github.com/tulios/kafkajs/issues/1751): nothing is scheduled where nothing waits and no throttle runs; and
 * from looking ten times a second whether a request has timed out. Does nothing when called again.
 */
export function quietRequestQueue(): void {
  if (isQuiet) return
  isQuiet = true
  const require = createRequire(import.meta.url)
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: Methods }
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return
    schedule.call(this)
  }
  prototype.scheduleRequestTimeoutCheck = function () {
    if (!this.enforceRequestTimeout) return
    this.destroy()
    this.requestTimeoutIntervalId = setInterval(() => endLateRequests(this), TIMEOUT_CHECK_MS)
  }
}

function endLateRequests(queue: RequestQueue): void {
  const nowMs = Date.now()
  for (const request of queue.inflight.values()) {
    if (nowMs - request.sentAt > request.requestTimeout) request.timeoutRequest()
  }
  if (!queue.isConnected()) queue.destroy()
}
