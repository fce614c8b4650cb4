import { DatabaseSync } from 'node:sqlite'
import { type TaskEnd, TokenfuseError, type UsageEvent } from '@tokenfuse/protocol'
import { CompactCodec } from '../compact/codec.ts'
import { fromSqliteError } from './errors.ts'

/** Log times, ms since 1970; `null` is no bound. */
export type ExportSpan = { readonly sinceMs: number | null; readonly untilMs: number | null }

/**
 * Usage events and ends of tasks in a log, in its order. It only reads, so a processor may be using
 * the log meanwhile.
 * @param path of the log's file
 * @throws TokenfuseError `file_unreadable` where there is none, `log_corrupt`, `log_unavailable`
 */
export function* exportEvents(
  path: string,
  { sinceMs, untilMs }: ExportSpan,
): Generator<UsageEvent | TaskEnd> {
  const database = open(path)
  const codec = new CompactCodec()
  try {
    const rows = database
      .prepare(
        `SELECT offset, payload FROM events WHERE type IN ('usage', 'task.end')
           AND log_time_ms >= ? AND log_time_ms < ? ORDER BY offset`,
      )
      .iterate(sinceMs ?? 0, untilMs ?? Number.MAX_SAFE_INTEGER)
    for (const { offset, payload } of rows) {
      // By the column, which is written with the event.
      yield codec.decode(String(payload), Number(offset)) as UsageEvent | TaskEnd
    }
  } catch (error) {
    throw fromSqliteError(error, path)
  } finally {
    database.close()
  }
}

function open(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: 1000 })
  } catch (cause) {
    throw new TokenfuseError('file_unreadable', `there is no event log at ${path}`, {
      fix: 'Name the data folder of the processor with --data.',
      cause,
    })
  }
}
