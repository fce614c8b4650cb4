import type { BudgetStatus, StatusAnswer } from '@tokenfuse/protocol'
import { type BudgetUnit, formatUsd } from '@tokenfuse/protocol/names'
import type { Command } from 'commander'
import { printJson, printLines } from '../output/print.ts'
import { type Style, styleFor } from '../output/style.ts'
import { type Column, renderTable } from '../output/table.ts'
import { formatCount, plural, showName } from '../output/text.ts'
import { usageNotes } from '../output/usage-table.ts'
import { connect } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { withJsonOption, withProcessorOptions } from './options.ts'

const MAX_BUDGETS = 30

const COLUMNS: readonly Column[] = [
  { title: 'budget', align: 'left' },
  { title: 'for', align: 'left' },
  { title: 'window', align: 'left' },
  { title: 'spent', align: 'right' },
  { title: 'limit', align: 'right' },
  { title: 'used', align: 'right' },
]

export function addStatus(program: Command): void {
  const command = program
    .command('status')
    .description('show how full each budget is, and how the processor does')
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

function statusLines(status: StatusAnswer, url: string, style: Style): string[] {
  const { total, guards, budgets } = status
  const lines = [
    `${style('bold', `tokenfuse ${status.version}`)} at ${url}`,
    `${plural(total.calls, 'call')}, ${plural(total.totalTokens, 'token')}, ${formatUsd(BigInt(total.costPicoUsd))}; ${plural(guards, 'guard')}`,
    ...usageNotes(total).map((note) => style('dim', note)),
    '',
    ...budgetLines(budgets, style),
    ...status.inactiveBudgets.map(({ budget, reason }) =>
      style('dim', `${showName(budget)} is inactive: ${reason}`),
    ),
  ]
  if (status.policyProblem !== null) {
    lines.push(style('yellow', `The policy file is not in force: ${status.policyProblem}`))
  }
  if (status.deadLetters > 0) {
    lines.push(
      style(
        'yellow',
        `${plural(status.deadLetters, 'dead letter')}: input that could not be counted`,
      ),
    )
  }
  return lines
}

function budgetLines(budgets: readonly BudgetStatus[], style: Style): string[] {
  if (budgets.length === 0) return ['No budget counts anything yet.']
  const rows = budgets
    .slice(0, MAX_BUDGETS)
    .map((budget) => [
      budget.mode === 'hard'
        ? showName(budget.budget, 20)
        : `${showName(budget.budget, 20)} (${budget.mode})`,
      showName(budget.scope === '*' ? 'everything' : budget.scope, 24),
      budget.window,
      formatAmount(budget.spent, budget.unit),
      formatAmount(budget.limit, budget.unit),
      style(usedFormat(budget.usedRatio), `${Math.floor(budget.usedRatio * 100)}%`),
    ])
  const more = budgets.length - rows.length
  const table = renderTable(COLUMNS, rows, style)
  return more > 0 ? [table, style('dim', `and ${formatCount(more)} more, less full`)] : [table]
}

function usedFormat(ratio: number): 'red' | 'yellow' | 'green' {
  if (ratio >= 1) return 'red'
  return ratio >= 0.8 ? 'yellow' : 'green'
}

/** An amount in a budget's unit. */
function formatAmount(amount: string, unit: BudgetUnit): string {
  return unit === 'picoUsd' ? formatUsd(BigInt(amount)) : formatCount(Number(amount))
}
