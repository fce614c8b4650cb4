import { dirname, join } from 'node:path'
import type { ReadEvents, RecordedLine, SuggestedUnit, SuggestOptions } from '@tokenfuse/processor'
import { type Command, Option } from 'commander'
import { suggestionLines } from '../budgets/suggestion-lines.ts'
import { printJson, printLines } from '../output/print.ts'
import { styleFor } from '../output/style.ts'
import { dataDirectory } from '../processor/find.ts'
import { withJsonOption } from './options.ts'

const BATCH = 1000

type Options = {
  readonly events?: string
  readonly data?: string
  readonly policy?: string
  readonly unit?: SuggestedUnit
  readonly json?: boolean
}

export function addSuggest(budget: Command): void {
  const command = budget
    .command('suggest')
    .description('propose limits from recorded calls, with what they would have caught')
    .option('--events <file>', 'recorded calls (default: the log of the processor)')
    .option('--data <dir>', 'data folder of the processor (default: .tokenfuse)')
    .option(
      '--policy <file>',
      'says the time zone and what limits count (default: tokenfuse.yaml beside the data folder)',
    )
    .addOption(
      new Option(
        '--unit <unit>',
        'usd or tokens (default: tokens where the limits of the policy all are, or else usd)',
      ).choices(['usd', 'tokens']),
    )
  withJsonOption(command)
    .addHelpText(
      'after',
      `
For everything and for each of the 20 dearest agents half as much again as nine
of ten days cost, for a task twice what 19 of 20 cost. The same calls are then
run through these limits.`,
    )
    .action(suggest)
}

async function suggest({ events, json, ...options }: Options): Promise<void> {
  const { suggestBudgets } = await import('@tokenfuse/processor')
  const directory = dataDirectory(options)
  const suggestion = await suggestBudgets(
    events === undefined ? await logReader(directory) : await fileReader(events),
    await asThePolicySays(directory, options),
  )
  if (json) printJson(suggestion)
  else printLines(suggestionLines(suggestion, styleFor(process.stdout)))
}

/** Where there is no policy: days of UTC, and USD. */
async function asThePolicySays(
  directory: string,
  { policy: named, unit }: Pick<Options, 'policy' | 'unit'>,
): Promise<SuggestOptions> {
  const { readPolicyFile } = await import('@tokenfuse/processor')
  const path = named ?? join(dirname(directory), 'tokenfuse.yaml')
  const policy = readPolicyFile(path, named !== undefined)
  const limits = policy?.budgets.flatMap(({ limit }) => limit ?? []) ?? []
  const isInTokens = limits.length > 0 && limits.every(({ tokens }) => tokens !== undefined)
  return { timezone: policy?.timezone ?? 'UTC', unit: unit ?? (isInTokens ? 'tokens' : 'usd') }
}

async function fileReader(path: string): Promise<ReadEvents> {
  const { recordedFile } = await import('@tokenfuse/processor')
  return async function* () {
    for await (const { lines } of recordedFile(path)) yield lines
  }
}

async function logReader(directory: string): Promise<ReadEvents> {
  const { EVENT_LOG_FILE, exportEvents } = await import('@tokenfuse/processor')
  const path = join(directory, EVENT_LOG_FILE)
  return async function* () {
    let batch: RecordedLine[] = []
    for (const event of exportEvents(path, { sinceMs: null, untilMs: null })) {
      if (batch.push({ kind: 'event', event }) < BATCH) continue
      yield batch
      batch = []
    }
    yield batch
  }
}
