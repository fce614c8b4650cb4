import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { UsageEvent } from '@tokenfuse/protocol'
import { CompactCodec } from '../../../processor/src/log/compact/codec.ts'
import type { Stage } from './stage.ts'

/** The usage events of a stage, in the order of the log. One that was sent twice counts once, as everywhere. */
export function usageEvents({
  processor,
}: Stage): { readonly logTimeMs: number; readonly event: UsageEvent }[] {
  const codec = new CompactCodec()
  const path = join(processor.dataDirectory, 'events.db')
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const rows = database
      .prepare(
        "SELECT offset, log_time_ms, payload FROM events WHERE type = 'usage' ORDER BY offset DESC",
      )
      .all()
    const bySpan = rows.map((row) => {
      const event = codec.decode(String(row['payload']), Number(row['offset'])) as UsageEvent
      return [event.spanId, { logTimeMs: Number(row['log_time_ms']), event }] as const
    })
    return [...new Map(bySpan).values()].toReversed()
  } finally {
    database.close()
  }
}
