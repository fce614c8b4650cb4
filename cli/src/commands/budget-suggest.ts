import { join } from 'node:path'
import type { ReadEvents } from '@tokenfuse/processor'
import type { Command } from 'commander'
import { suggestionLines } from '../budgets/suggestion-lines.ts'
import { printJson, printLines } from '../output/print.ts'
import { styleFor } from '../output/style.ts'
import { dataDirectory } from '../processor/find.ts'
import { withJsonOption } from './options.ts'

const BATCH = 1000

type SuggestOptions = { readonly events?: string; readonly data?: string; readonly json?: boolean }

export function addSuggest(budget: Command): void {
  const command = budget
    .command('suggest')
    .description('propose limits from recorded calls, with what they would have caught')
    .option('--events <file>', 'recorded calls (default: the log of the processor)')
    .option('--data <dir>', 'data folder of the processor (default: .tokenfuse)')
  withJsonOption(command)
    .addHelpText(
      'after',
      `
For everything and for each of the 20 dearest agents half as much again as nine of ten days
cost, for a task twice what 19 of 20 cost. The same calls are then run through these limits.`,
    )
    .action(suggest)
}

async function suggest({ events, data, json }: SuggestOptions): Promise<void> {
  const { suggestBudgets } = await import('@tokenfuse/processor')
  const suggestion = await suggestBudgets(
    events === undefined ? await logReader(dataDirectory({ data })) : await fileReader(events),
  )
  if (json) printJson(suggestion)
  else printLines(suggestionLines(suggestion, styleFor(process.stdout)))
}

async function fileReader(path: string): Promise<ReadEvents> {
  const { fileLines } = await import('@tokenfuse/processor')
  return async function* () {
    for await (const { lines } of fileLines(path)) yield lines
  }
}

async function logReader(directory: string): Promise<ReadEvents> {
  const { EVENT_LOG_FILE, exportEvents } = await import('@tokenfuse/processor')
  const path = join(directory, EVENT_LOG_FILE)
  return async function* () {
    let batch: string[] = []
    for (const event of exportEvents(path, { sinceMs: null, untilMs: null })) {
      if (batch.push(JSON.stringify(event)) < BATCH) continue
      yield batch
      batch = []
    }
    yield batch
  }
}
