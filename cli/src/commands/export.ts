import { once } from 'node:events'
import { join } from 'node:path'
import { TokenfuseError } from '@tokenfuse/protocol/names'
import type { Command } from 'commander'
import { readMoment } from '../output/moment.ts'
import { dataDirectory } from '../processor/find.ts'

/** So many are written at once. */
const BATCH = 500

type ExportOptions = {
  readonly events?: boolean
  readonly data?: string
  readonly since?: number
  readonly until?: number
}

export function addExport(program: Command): void {
  program
    .command('export')
    .description('write what a processor has recorded, as JSON Lines')
    .option('--events', 'calls and ends of tasks, in the order of the log')
    .option('--since <time>', 'a time such as 2026-01-31, or 7d for so long ago', readMoment)
    .option('--until <time>', 'the same', readMoment)
    .option('--data <dir>', 'data folder of the processor (default: .tokenfuse)')
    .addHelpText(
      'after',
      `
The processor may be running or not. What is written is for "tokenfuse backtest".

Examples:
  $ tokenfuse export --events > events.jsonl
  $ tokenfuse export --events --since 7d | jq .costPicoUsd`,
    )
    .action(exportRecorded)
}

async function exportRecorded({ events, data, since, until }: ExportOptions): Promise<void> {
  if (events !== true) {
    throw new TokenfuseError('bad_request', 'it is not said what to export', {
      fix: 'Add --events.',
    })
  }
  const { EVENT_LOG_FILE, exportEvents } = await import('@tokenfuse/processor')
  const path = join(dataDirectory({ data }), EVENT_LOG_FILE)
  let batch: string[] = []
  for (const event of exportEvents(path, { sinceMs: since ?? null, untilMs: until ?? null })) {
    if (batch.push(JSON.stringify(event)) < BATCH) continue
    await write(batch)
    batch = []
  }
  await write(batch)
}

async function write(lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return
  if (!process.stdout.write(`${lines.join('\n')}\n`)) await once(process.stdout, 'drain')
}
