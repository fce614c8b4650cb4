import type { Command } from 'commander'
import { printJson, printLines } from '../output/print.ts'
import { styleFor } from '../output/style.ts'
import { connect } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { statusLines } from '../status/status-lines.ts'
import { withJsonOption, withProcessorOptions } from './options.ts'

export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('show what agents use, how full each budget is, and how the processor does')
  withJsonOption(withProcessorOptions(command))
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse status
  $ tokenfuse status --json | jq '.budgets[] | select(.usedRatio > 0.8)'`,
    )
    .action(showStatus)
}

async function showStatus({
  json,
  ...where
}: ProcessorOptions & { json?: boolean }): Promise<void> {
  const client = connect(where)
  const status = await client.status()
  if (json) printJson(status)
  else printLines(statusLines(status, client.address.url, styleFor(process.stdout)))
}
