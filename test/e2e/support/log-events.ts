import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { UsageEvent } from '@tokenfuse/protocol'
import type { Stage } from './stage.ts'

/** The usage events of a stage, in the order of the log. One that was sent twice counts once, as everywhere. */
export function usageEvents({
  processor,
}: Stage): { readonly logTimeMs: number; readonly event: UsageEvent }[] {
  const path = join(processor.dataDirectory, 'events.db')
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const rows = database
      .prepare("SELECT log_time_ms, payload FROM events WHERE type = 'usage' ORDER BY offset DESC")
      .all()
    const bySpan = rows.map((row) => {
      const event = JSON.parse(String(row['payload'])) as UsageEvent
      return [event.spanId, { logTimeMs: Number(row['log_time_ms']), event }] as const
    })
    return [...new Map(bySpan).values()].toReversed()
  } finally {
    database.close()
  }
}
