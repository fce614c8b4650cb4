import type { OverrideAnswer } from '@tokenfuse/protocol'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { formatAmountUnit } from '../output/amount.ts'
import { printJson, printLines } from '../output/print.ts'
import { showName } from '../output/text.ts'
import { connect } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { userName } from '../user-name.ts'
import { withJsonOption, withProcessorOptions } from './options.ts'

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

type OverrideOptions = ProcessorOptions & {
  readonly scope: string
  readonly reason: string
  readonly for?: number
  readonly until?: string
  readonly by?: string
  readonly json?: boolean
}

export function addOverride(program: Command): void {
  const command = program
    .command('override')
    .description('raise the limit of a budget for a while')
    .argument('<budget>', 'its name in the policy')
    .argument('<amount>', 'what is added, such as 5usd, 200ktok or 100calls')
    .option('--scope <scope>', 'such as task=t-17, as "status" shows it; * is the whole', '*')
    .requiredOption('--reason <text>', 'why; it is kept')
    .option('--for <time>', 'how long, such as 2h (default: until the window ends)', readTime)
    .addOption(
      new Option('--until <time>', 'ISO 8601, such as 2026-01-31T18:00:00Z')
        .conflicts('for')
        .argParser(readInstant),
    )
    .option('--by <name>', 'who does it (default: the user of this shell)')
  withJsonOption(withProcessorOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse override support 5usd --for 2h --reason "launch day"
  $ tokenfuse override per-task 100ktok --scope task=t-17 --reason "long contract"`,
    )
    .action(override)
}

async function override(
  budget: string,
  add: string,
  { scope, reason, for: forMs, until, by = userName(), json, ...where }: OverrideOptions,
): Promise<void> {
  const end = until ?? (forMs === undefined ? null : new Date(Date.now() + forMs).toISOString())
  const { parseAmount } = await import('@tokenfuse/protocol')
  // A bare number would be so many pico-USD.
  parseAmount(add)
  const request = { budget, scope, add, reason, by, until: end }
  const answer = await connect(where).override(request)
  if (json) printJson(answer)
  else printLines([lineOf(answer)])
}

function lineOf({ budget, scope, unit, limit, until }: OverrideAnswer): string {
  const where = scope === '*' ? '' : ` for ${showName(scope, 60)}`
  const end = until === null ? 'for good' : `until ${until}`
  return `${showName(budget)}${where}: ${formatAmountUnit(limit, unit)} ${end}`
}

function readTime(text: string): number {
  const [, count = '', unit = ''] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? []
  const milliseconds = Number(count) * (UNIT_MS[unit] ?? 0)
  if (milliseconds > 0) return milliseconds
  throw new InvalidArgumentError('Use a whole number and m, h or d, such as 90m or 2h.')
}

function readInstant(text: string): string {
  const timeMs = Date.parse(text)
  if (Number.isNaN(timeMs))
    throw new InvalidArgumentError('Use ISO 8601, such as 2026-01-31T18:00:00Z.')
  if (timeMs <= Date.now()) throw new InvalidArgumentError('This time is over.')
  return new Date(timeMs).toISOString()
}
