import { createRequire } from 'node:module'

/** What is used of kafkajs's own queue of requests to one broker. */
type RequestQueue = {
  readonly pending: { readonly length: number }
  /** Milliseconds since 1970. */
  readonly throttledUntil: number
}
type Schedule = (this: RequestQueue) => void

/**
 * Stops a connection of kafkajs 2.2.4 that has nothing to do from waking up a thousand times a second
 * (https://github.com/tulios/kafkajs/issues/1751): nothing is scheduled where nothing waits and no throttle runs.
 * Does nothing when called again.
 */
export function quietRequestQueue(): void {
  const require = createRequire(import.meta.url)
  const queue = require('kafkajs/src/network/requestQueue') as {
    prototype: { scheduleCheckPendingRequests: Schedule & { quiet?: true } }
  }
  const original = queue.prototype.scheduleCheckPendingRequests
  if (original.quiet) return
  const quiet: Schedule & { quiet?: true } = function () {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return
    original.call(this)
  }
  quiet.quiet = true
  queue.prototype.scheduleCheckPendingRequests = quiet
}
