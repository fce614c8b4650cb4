import type { BacktestResult } from '@tokenfuse/processor'
import type { Command } from 'commander'
import { backtestLines } from '../backtest/backtest-lines.ts'
import { ProgressLine } from '../backtest/progress.ts'
import { readBacktestPolicy } from '../backtest/read-policies.ts'
import { printJson, printLines } from '../output/print.ts'
import { type Style, styleFor } from '../output/style.ts'
import { plural, showName, wrapped } from '../output/text.ts'
import { type PolicyChange, policyChanges } from '../policy/policy-changes.ts'
import { withJsonOption } from './options.ts'

const WIDTH = 80

type ValidateOptions = { readonly rules?: string; readonly json?: boolean }
type DiffOptions = { readonly events?: string; readonly json?: boolean }

export function addPolicy(program: Command): void {
  const policy = program
    .command('policy')
    .description('check policy and rules files, and tell two of them apart')
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Examples:
  $ tokenfuse policy validate
  $ tokenfuse policy validate team.yaml --rules team-alerts.yaml
  $ tokenfuse policy diff tokenfuse.yaml tighter.yaml --events events.jsonl`,
    )
  addValidate(policy)
  addDiff(policy)
}

function addValidate(policy: Command): void {
  const command = policy
    .command('validate')
    .description('tell every problem of the files, with its place')
    .argument('[file]', 'the policy', 'tokenfuse.yaml')
    .option('--rules <file>', 'rules (default: budget-alerts.yaml beside it, or those shipped)')
  withJsonOption(command).action(validate)
}

function addDiff(policy: Command): void {
  const command = policy
    .command('diff')
    .description('tell what changes from one policy to another, rules beside them included')
    .argument('<before>', 'a policy file')
    .argument('<after>', 'another one')
    .option('--events <file>', 'recorded calls: also tell what each would have done to them')
  withJsonOption(command).action(diff)
}

async function validate(file: string, { rules, json }: ValidateOptions): Promise<void> {
  const { checkPolicy } = await import('@tokenfuse/processor')
  const read = await readBacktestPolicy(file, rules).catch((error: unknown) => {
    if (json !== true || !(error instanceof Error) || !('problems' in error)) throw error
    printJson({ valid: false, problems: error.problems })
    process.exitCode = 1
    return null
  })
  if (read === null) return
  const check = checkPolicy(read.policy, read.rules, Date.now())
  const notes = [
    ...check.inactiveBudgets.map(({ budget, reason }) => `budget ${budget} is inactive: ${reason}`),
    ...check.rules.flatMap(({ name, inactive, note }) => [
      ...(inactive === null ? [] : [`rule ${name} is inactive: ${inactive}`]),
      ...(note === null ? [] : [`rule ${name}: ${note}`]),
    ]),
  ]
  const counts = { budgets: read.policy.budgets.length, rules: read.rules.length }
  if (json) printJson({ valid: true, ...counts, notes })
  else {
    const style = styleFor(process.stdout)
    const sum = `${plural(counts.budgets, 'budget')}, ${plural(counts.rules, 'rule')}`
    printLines([
      `${style('green', 'valid:')} ${showName(file, 60)}, ${sum}`,
      ...notes.flatMap((note) => wrapped(showName(note, 500), WIDTH)),
    ])
  }
}

async function diff(before: string, after: string, { events, json }: DiffOptions): Promise<void> {
  const { backtestFile } = await import('@tokenfuse/processor')
  const policies = [
    await readBacktestPolicy(before, undefined),
    await readBacktestPolicy(after, undefined),
  ] as const
  const changes = policyChanges(...policies)
  let backtest: BacktestResult | null = null
  if (events !== undefined) {
    const progress = new ProgressLine(process.stderr)
    backtest = await backtestFile(events, policies, (at) => progress.show(at))
    progress.clear()
  }
  if (json) printJson({ changes, backtest })
  else {
    const style = styleFor(process.stdout)
    const told = backtest === null ? [] : ['', ...backtestLines(backtest, style)]
    printLines([...changeLines(changes, style), ...told])
  }
}

const MARKS = { added: '+', removed: '-', changed: '~' } as const
const COLOURS = { added: 'green', removed: 'red', changed: 'yellow' } as const

function changeLines(changes: readonly PolicyChange[], style: Style): string[] {
  if (changes.length === 0) return ['They say the same.']
  return changes.flatMap(({ change, what, name, text }) => {
    const subject = what === name ? what : `${what} ${showName(name, 63)}`
    const [first = '', ...others] = wrapped(`${subject}: ${showName(text, 600)}`, WIDTH - 2)
    const head = style(COLOURS[change], `${MARKS[change]} ${first}`)
    return [head, ...others.map((line) => `  ${line}`)]
  })
}
