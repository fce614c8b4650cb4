import { join } from 'node:path'
import type { UsageEvent } from '@tokenfuse/protocol'
import { SqliteEventLog } from '../../processor/src/log/sqlite/event-log.ts'

/**
 * Every usage event in the log of a processor that has been stopped, in the order of the log. A span that was sent
 * again stands in the log again; here it is given once, by its first event.
 */
export async function readUsageEvents(dataDirectory: string): Promise<UsageEvent[]> {
  const log = new SqliteEventLog({ path: join(dataDirectory, 'events.db') })
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
