import type { Budget, BudgetsAnswer, BudgetStatus } from '@tokenfuse/protocol'
import { isRunBudget } from '@tokenfuse/protocol/names'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { BudgetOptions } from '../budgets/budget-fields.ts'
import { describeLimit, describeMatch } from '../budgets/describe-budget.ts'
import { printJson, printLines } from '../output/print.ts'
import { type Style, styleFor } from '../output/style.ts'
import { type Column, renderTable } from '../output/table.ts'
import { showName } from '../output/text.ts'
import { connect } from '../processor/client.ts'
import type { ProcessorOptions } from '../processor/find.ts'
import { addSuggest } from './budget-suggest.ts'
import { collect, withJsonOption, withProcessorOptions } from './options.ts'

type JsonOption = { readonly json?: boolean }

const COLUMNS: readonly Column[] = [
  { title: 'budget', align: 'left' },
  { title: 'for', align: 'left', shrinks: true },
  { title: 'limit', align: 'left' },
  { title: 'mode', align: 'left' },
  { title: 'fullest', align: 'right' },
]

export function addBudget(program: Command): void {
  const budget = program
    .command('budget')
    .description('set, list and remove budgets; the policy file keeps its comments')
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse budget set support 20usd/day --match agent=support
  $ tokenfuse budget set per-task 200ktok/task --warn-at 0.9
  $ tokenfuse budget set no-loop 40steps/task
  $ tokenfuse budget set support 30usd        only raises the limit
  $ tokenfuse budget list
  $ tokenfuse budget remove support
  $ tokenfuse budget suggest                  limits from what was used so far`,
    )
  addSet(budget)
  addList(budget)
  addRemove(budget)
  addSuggest(budget)
}

function addSet(budget: Command): void {
  const command = budget
    .command('set')
    .description('make a budget, or change what is named of one that is there')
    .argument('<id>', 'its name in the policy')
    .argument('<amount>', 'such as 5usd, 200ktok/day, 1usd/task, 100calls/hour or 20steps/task')
    .option('--match <dimension=glob>', 'calls it is for; more than once: all must fit', collect)
    .addOption(new Option('--hard', 'never exceeded (default)').conflicts(['soft', 'shadow']))
    .addOption(new Option('--soft', 'may be exceeded by calls in flight').conflicts('shadow'))
    .option('--shadow', 'only looks on, and stops nothing')
    .option('--nested', 'calls count for the agents that they are made for, too')
    .option('--warn-at <share>', 'share of the limit at which to warn (default: 0.8)', readShare)
    .option('--description <text>', 'what it is for')
    .addOption(
      new Option('--stale <what>', 'without a governor (default: degrade)').choices([
        'degrade',
        'refuse',
        'allow',
      ]),
    )
    .option('--best-effort', 'lets a hard budget allow calls when stale')
    .option('--grace <time>', 'how long it may degrade (default: 10m)')
    .addOption(
      new Option('--uncappable <what>', 'calls that cannot be capped (default: run)').choices([
        'run',
        'refuse',
      ]),
    )
    .option('--max-wait <time>', 'how long a call may wait for credit (default: 60s)')
    .option('--settle-after <time>', 'when credit of a lost process is settled (default: 15m)')
  withJsonOption(withProcessorOptions(command)).action(setBudget)
}

function addList(budget: Command): void {
  const command = budget.command('list').description('show the budgets in force')
  withJsonOption(withProcessorOptions(command)).action(listBudgets)
}

function addRemove(budget: Command): void {
  const command = budget
    .command('remove')
    .description('take a budget out of the policy')
    .argument('<id>', 'its name in the policy')
  withJsonOption(withProcessorOptions(command)).action(removeBudget)
}

async function setBudget(
  id: string,
  amount: string,
  { json, data, url, token, ...options }: ProcessorOptions & JsonOption & BudgetOptions,
): Promise<void> {
  const { budgetFields } = await import('../budgets/budget-fields.ts')
  const client = connect({ data, url, token })
  const before = await client.budgets()
  const existing = before.budgets.find((candidate) => candidate.id === id)
  const fields = budgetFields(amount, options, existing)
  const { policyVersion } = await client.changeBudget(id, fields, before.policyVersion)
  const { budgets } = await client.budgets()
  const budget = budgets.find((candidate) => candidate.id === id)
  if (json) printJson({ policyVersion, budget })
  else if (budget) {
    printLines([
      `${showName(id)}: ${describeLimit(budget)}, ${describeMatch(budget)} (${budget.mode})`,
      styleFor(process.stdout)('dim', `in force as policy ${policyVersion}`),
    ])
  }
}

async function removeBudget(
  id: string,
  { json, ...where }: ProcessorOptions & JsonOption,
): Promise<void> {
  const { policyVersion } = await connect(where).removeBudget(id)
  if (json) printJson({ policyVersion })
  else printLines([`${showName(id)} is removed, in force as policy ${policyVersion}`])
}

async function listBudgets({ json, ...where }: ProcessorOptions & JsonOption): Promise<void> {
  const client = connect(where)
  const answer = await client.budgets()
  if (json) {
    printJson(answer)
    return
  }
  const { budgets } = await client.status()
  printLines(budgetLines(answer, budgets, styleFor(process.stdout)))
}

function budgetLines(
  { budgets }: BudgetsAnswer,
  statuses: readonly BudgetStatus[],
  style: Style,
): string[] {
  if (budgets.length === 0) {
    return ['No budgets: calls are metered and nothing is stopped. See "tokenfuse budget set".']
  }
  // The fullest scope of each comes first.
  const fullest = new Map(statuses.toReversed().map((status) => [status.budget, status]))
  const rows = budgets.map((budget) => [
    showName(budget.id, 16),
    describeMatch(budget),
    showName(describeLimit(budget), 36),
    isRunBudget(budget.id) ? 'run' : budget.mode,
    shareOf(budget, fullest.get(budget.id)),
  ])
  return [renderTable(COLUMNS, rows, style)]
}

function shareOf(budget: Budget, status: BudgetStatus | undefined): string {
  if (budget.limit === undefined) return ''
  return status ? `${Math.floor(status.usedRatio * 100)}%` : '0%'
}

function readShare(text: string): number {
  const share = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text)
  if (/^\d*\.?\d+%?$/.test(text) && share > 0 && share <= 1) return share
  throw new InvalidArgumentError('Use a share of the limit such as 0.8 or 80%.')
}
