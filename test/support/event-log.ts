import { join } from 'node:path'
import type { UsageEvent } from '@tokenfuse/protocol'
import type { EventLog } from '../../processor/src/log/port.ts'
import { SqliteEventLog } from '../../processor/src/log/sqlite/event-log.ts'

/** Every usage event in the log of a processor that has been stopped; see `usageEventsOf`. */
export async function readUsageEvents(dataDirectory: string): Promise<UsageEvent[]> {
  return usageEventsOf(new SqliteEventLog({ path: join(dataDirectory, 'events.db') }))
}

/**
 * Every usage event in a log, in its order; then the log is closed. A span that was sent again stands in the log
 * again; here it is given once, by its first event.
 */
export async function usageEventsOf(log: EventLog): Promise<UsageEvent[]> {
  try {
    const events = new Map<string, UsageEvent>()
    const { headOffset } = log.stats()
    if (headOffset === 0) return []
    for await (const batch of log.follow(1)) {
      for (const { event } of batch) {
        if (event.type !== 'usage') continue
        const span = `${event.traceId} ${event.spanId}`
        if (!events.has(span)) events.set(span, event)
      }
      if ((batch.at(-1)?.offset ?? 0) >= headOffset) break
    }
    return [...events.values()]
  } finally {
    await log.close()
  }
}
