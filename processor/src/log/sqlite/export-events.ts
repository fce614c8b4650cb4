import { DatabaseSync } from 'node:sqlite'
import { TokenfuseError } from '@tokenfuse/protocol'
import { fromSqliteError } from './errors.ts'

/** Log times, ms since 1970; `null` is no bound. */
export type ExportSpan = { readonly sinceMs: number | null; readonly untilMs: number | null }

/**
 * Usage events and ends of tasks in a log, as JSON, in the order of the log. It only reads, so a processor may be using
 * the log meanwhile.
 * @param path of the log's file
 * @throws TokenfuseError `file_unreadable` where there is none, `log_corrupt`, `log_unavailable`
 */
export function* exportEvents(path: string, { sinceMs, untilMs }: ExportSpan): Generator<string> {
  const database = open(path)
  try {
    const rows = database
      .prepare(
        `SELECT payload FROM events WHERE type IN ('usage', 'task.end')
           AND log_time_ms >= ? AND log_time_ms < ? ORDER BY offset`,
      )
      .iterate(sinceMs ?? 0, untilMs ?? Number.MAX_SAFE_INTEGER)
    for (const row of rows) yield String(row['payload'])
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
