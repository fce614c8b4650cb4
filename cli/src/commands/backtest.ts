import type { Command } from 'commander'
import { backtestLines } from '../backtest/backtest-lines.ts'
import { ProgressLine } from '../backtest/progress.ts'
import { readBacktestPolicy } from '../backtest/read-policies.ts'
import { printJson, printLines } from '../output/print.ts'
import { styleFor } from '../output/style.ts'
import { withJsonOption } from './options.ts'

type BacktestOptions = {
  readonly events: string
  readonly policy: string
  readonly rules?: string
  readonly compare?: string
  readonly json?: boolean
}

export function addBacktest(program: Command): void {
  const command = program
    .command('backtest')
    .description('show what a policy would have done to recorded calls')
    .requiredOption('--events <file>', 'JSON Lines, as "tokenfuse export --events" writes them')
    .requiredOption('--policy <file>', 'budgets, such as tokenfuse.yaml')
    .option(
      '--rules <file>',
      'rules (default: budget-alerts.yaml beside the policy, or those shipped)',
    )
    .option('--compare <file>', 'another policy, beside the first')
  withJsonOption(command)
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse export --events --since 30d > events.jsonl
  $ tokenfuse backtest --events events.jsonl --policy tokenfuse.yaml
  $ tokenfuse backtest --events events.jsonl --policy tokenfuse.yaml --compare tighter.yaml --json`,
    )
    .action(backtest)
}

async function backtest({ events, policy, rules, compare, json }: BacktestOptions): Promise<void> {
  const { backtestFile } = await import('@tokenfuse/processor')
  const policies = [await readBacktestPolicy(policy, rules)]
  if (compare !== undefined) policies.push(await readBacktestPolicy(compare, rules))
  const progress = new ProgressLine(process.stderr)
  const result = await backtestFile(events, policies, (at) => progress.show(at))
  progress.clear()
  if (json) printJson(result)
  else printLines(backtestLines(result, styleFor(process.stdout)))
}
