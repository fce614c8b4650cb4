import { once } from 'node:events'
import { join } from 'node:path'
import type { LogEvent } from '@tokenfuse/protocol'
import { ENV_KAFKA_BROKERS, TokenfuseError } from '@tokenfuse/protocol/names'
import type { Command } from 'commander'
import { readMoment } from '../output/moment.ts'
import { tellLines } from '../output/print.ts'
import { dataDirectory } from '../processor/find.ts'

/** So many are written at once. */
const BATCH = 500

type ExportOptions = {
  readonly events?: boolean
  readonly data?: string
  readonly kafka?: string
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
    .option('--kafka <brokers>', `brokers that hold the log (default: ${ENV_KAFKA_BROKERS})`)
    .addHelpText(
      'after',
      `
The processor may be running or not. What is written is for
"tokenfuse backtest".

Examples:
  $ tokenfuse export --events > events.jsonl
  $ tokenfuse export --events --since 7d | jq .costPicoUsd
  $ tokenfuse export --events --kafka k1:9092,k2:9092 > events.jsonl`,
    )
    .action(exportRecorded)
}

async function exportRecorded({ events, ...from }: ExportOptions): Promise<void> {
  if (events !== true) {
    throw new TokenfuseError('bad_request', 'it is not said what to export', {
      fix: 'Add --events.',
    })
  }
  let batch: string[] = []
  for await (const event of await recordedEvents(from)) {
    if (batch.push(JSON.stringify(event)) < BATCH) continue
    await write(batch)
    batch = []
  }
  await write(batch)
}

/** Of the log that is named; of Kafka also where the environment names its brokers and nobody a folder. */
async function recordedEvents({
  data,
  kafka: brokers,
  since,
  until,
}: ExportOptions): Promise<Iterable<LogEvent> | AsyncIterable<LogEvent>> {
  const { EVENT_LOG_FILE, exportEvents, exportKafkaEvents, readKafkaSettings } =
    await import('@tokenfuse/processor')
  const span = { sinceMs: since ?? null, untilMs: until ?? null }
  const isFolder = brokers === undefined && data !== undefined
  const kafka = isFolder ? null : readKafkaSettings(process.env, brokers ?? null)
  if (kafka !== null) return exportKafkaEvents(kafka, span, (line) => tellLines([line]))
  return exportEvents(join(dataDirectory({ data }), EVENT_LOG_FILE), span)
}

async function write(lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return
  if (!process.stdout.write(`${lines.join('\n')}\n`)) await once(process.stdout, 'drain')
}
