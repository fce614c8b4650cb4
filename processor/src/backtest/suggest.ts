import { type PolicyInput, policySchema, UNKNOWN, usdFromPicoUsd } from '@tokenfuse/protocol'
import { Backtest } from './backtest.ts'
import type { RecordedLine } from './recorded-line.ts'
import type { BacktestResult } from './result.ts'
import { type SuggestedUnit, UsageHistory } from './usage-history.ts'

/** Less than that is no history. */
const MIN_DAYS = 3
const MIN_TASKS = 20
/** Agents with a limit of their own: the dearest. */
const MAX_AGENTS = 20
/** The first and the last day are mostly not whole: with so many, they are left out. */
const DAYS_TO_TRIM = 5

type BudgetInput = NonNullable<PolicyInput['budgets']>[number]

export type SuggestedBudget = {
  /** As the policy file has it. */
  readonly budget: BudgetInput
  /** Days, or tasks, that it was learned from. */
  readonly samples: number
  /** What nine of ten days, or 19 of 20 tasks, stayed within, and the dearest; whole, as decimal strings. */
  readonly usual: string
  readonly highest: string
}

export type Suggestion = {
  /** Of `usual` and `highest`. */
  readonly unit: 'picoUsd' | 'tokens'
  /** Whose days are meant. */
  readonly timezone: string
  readonly budgets: readonly SuggestedBudget[]
  /** Why there are fewer than there could be. */
  readonly missing: readonly string[]
  /** What these budgets would have done to the same calls. */
  readonly backtest: BacktestResult
}

/** Lines of recorded events, some at a time, from the beginning each time. */
export type ReadEvents = () => AsyncIterable<Iterable<RecordedLine>>

/** As the policy has it: whose days, and what limits count. */
export type SuggestOptions = { readonly timezone: string; readonly unit: SuggestedUnit }

/**
 * Limits from recorded calls: for everything and for each of the dearest agents half as much again as nine of ten
 * days cost, for a task twice what 19 of 20 cost, rounded up. Then the same calls are run through them.
 */
export async function suggestBudgets(
  read: ReadEvents,
  { timezone, unit }: SuggestOptions,
): Promise<Suggestion> {
  const history = new UsageHistory(timezone, unit)
  for await (const lines of read()) for (const line of lines) learn(history, line)
  const missing: string[] = []
  const budgets = [
    ...dailyBudget(history, unit, missing),
    ...agentBudgets(history, unit),
    ...taskBudget(history, unit, missing),
  ]
  const input: PolicyInput = { version: 1, timezone, budgets: budgets.map(({ budget }) => budget) }
  const policy = policySchema.parse(input)
  const backtest = new Backtest([{ name: 'suggested', policy, rules: [] }])
  for await (const lines of read()) for (const line of lines) backtest.takeLine(line)
  const counted = unit === 'usd' ? 'picoUsd' : unit
  return { unit: counted, timezone, budgets, missing, backtest: backtest.result() }
}

function learn(history: UsageHistory, line: RecordedLine): void {
  if (line.kind === 'event' && line.event.type === 'usage') history.add(line.event)
}

function dailyBudget(
  { days }: UsageHistory,
  unit: SuggestedUnit,
  missing: string[],
): SuggestedBudget[] {
  const whole = wholeDays(days)
  if (whole.length >= MIN_DAYS) {
    return suggested({ id: 'suggested-daily', window: 'day' }, whole, { ...DAYS, unit })
  }
  missing.push(`a limit by the day needs ${MIN_DAYS} days of calls; there are ${whole.length}`)
  return []
}

function agentBudgets({ agents }: UsageHistory, unit: SuggestedUnit): SuggestedBudget[] {
  const sum = (amounts: readonly bigint[]) => amounts.reduce((a, b) => a + b, 0n)
  return (
    [...agents]
      .map(([agent, days]) => ({ agent, days: wholeDays(days), all: sum([...days.values()]) }))
      // A name that is a pattern would match others.
      .filter(({ agent, days }) => days.length >= MIN_DAYS && !/^!|[*?]/.test(agent))
      .sort((a, b) => (a.all === b.all ? 0 : a.all < b.all ? 1 : -1))
      .slice(0, MAX_AGENTS)
      .flatMap(({ agent, days }, index) => {
        const id = `suggested-agent-${index + 1}`
        return suggested({ id, match: { agent }, window: 'day' }, days, { ...DAYS, unit })
      })
  )
}

function taskBudget(
  { tasks }: UsageHistory,
  unit: SuggestedUnit,
  missing: string[],
): SuggestedBudget[] {
  const amounts = [...tasks.values()]
  if (amounts.length >= MIN_TASKS) {
    return suggested(
      {
        id: 'suggested-task',
        // Calls that name no task would share a counter that is full one day.
        match: { task: `!${UNKNOWN}` },
        per: ['agent', 'task'],
        window: 'lifetime',
      },
      amounts,
      { ...TASKS, unit },
    )
  }
  missing.push(`a limit for tasks needs ${MIN_TASKS} of them; there are ${amounts.length}`)
  return []
}

/** A limit is so many tenths of what so many hundredths of the samples stay within. */
type Measure = { readonly percent: number; readonly tenths: bigint }
const DAYS: Measure = { percent: 90, tenths: 15n }
const TASKS: Measure = { percent: 95, tenths: 20n }

function suggested(
  budget: Omit<BudgetInput, 'limit'>,
  samples: readonly bigint[],
  { percent, tenths, unit }: Measure & { readonly unit: SuggestedUnit },
): SuggestedBudget[] {
  const sorted = [...samples].sort((a, b) => (a === b ? 0 : a < b ? -1 : 1))
  const usual = sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? 0n
  if (usual === 0n) return []
  const limit = roundedUp((usual * tenths) / 10n)
  return [
    {
      budget: { ...budget, limit: limitOf(limit, unit) },
      samples: sorted.length,
      usual: String(usual),
      highest: String(sorted.at(-1) ?? 0n),
    },
  ]
}

function limitOf(amount: bigint, unit: SuggestedUnit): BudgetInput['limit'] {
  return unit === 'usd' ? { usd: usdFromPicoUsd(amount) } : { tokens: Number(amount) }
}

/** To two digits. */
function roundedUp(amount: bigint): bigint {
  const step = 10n ** BigInt(Math.max(0, String(amount).length - 2))
  return ((amount + step - 1n) / step) * step
}

/** What was used on each day, in their order. */
function wholeDays(days: ReadonlyMap<string, bigint>): bigint[] {
  const inOrder = [...days].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, amount]) => amount)
  return inOrder.length >= DAYS_TO_TRIM ? inOrder.slice(1, -1) : inOrder
}
