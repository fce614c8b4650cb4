import { matchesGlobs, type RuleFigure, scopeKeyOf } from '@tokenfuse/protocol'
import { type Amount, plus } from '../amount.ts'
import type { ActiveBudget } from '../budgets.ts'
import type { Overrides } from '../overrides.ts'

/** Whose limit is asked for; an agent of `null` is any. */
export type Whose = { readonly agent: string | null; readonly task: string | null }

export type FoundLimit = {
  readonly budget: ActiveBudget
  /** The counter's scope in the budget. */
  readonly scope: string
  readonly amount: Amount
}

const UNITS = { tokens: 'tokens', usd: 'picoUsd', calls: 'calls' } as const

/**
 * The limit behind a variable: the lowest of the budgets of its window and unit that count exactly what it is about.
 * - of everything: no `per`, no `match`;
 * - of an agent: `per: [agent]` with no `match` but of agents, or no `per` and a `match` that names this agent alone;
 * - of a task: a lifetime budget `per: [task]` or `[agent, task]`, with no `match` but of agents.
 * What overrides add counts.
 */
export function findLimit(
  budgets: readonly ActiveBudget[],
  overrides: Overrides,
  figure: RuleFigure,
  whose: Whose,
): FoundLimit | null {
  let lowest: FoundLimit | null = null
  for (const budget of budgets) {
    if (budget.unit !== UNITS[figure.unit] || budget.window !== windowOf(figure)) continue
    const scope = scopeIn(budget, figure, whose)
    if (scope === null) continue
    const amount = plus(budget.amount, overrides.addedTo(budget.id, scope))
    if (lowest === null || amount < lowest.amount) lowest = { budget, scope, amount }
  }
  return lowest
}

const windowOf = ({ window }: RuleFigure) => (window === 'task' ? 'lifetime' : window)

/** The scope of a budget that a figure is about; `null` where it counts something else. */
function scopeIn(
  { per, match }: ActiveBudget,
  { level }: RuleFigure,
  { agent, task }: Whose,
): string | null {
  const { agent: agents, ...others } = match
  if (Object.keys(others).length > 0) return null
  if (level === 'all') return per.length === 0 && agents === undefined ? '*' : null
  if (!fits(agents, agent)) return null
  const dimensions = per.join()
  if (level === 'agent' && dimensions === '') {
    return typeof agents === 'string' && isOneAgent(agents, agent) ? '*' : null
  }
  const wanted = level === 'agent' ? ['agent'] : ['task', 'agent,task']
  if (!wanted.includes(dimensions)) return null
  return scopeKeyOf(
    per.map((dimension) => [dimension, (dimension === 'task' ? task : agent) ?? '']),
  )
}

function fits(agents: string | readonly string[] | undefined, agent: string | null): boolean {
  if (agents === undefined || agent === null) return true
  const globs = typeof agents === 'string' ? [agents] : agents
  return matchesGlobs(globs, agent)
}

/** Whether a match names one agent, and that one where it is asked for. */
function isOneAgent(match: string, agent: string | null): boolean {
  return agent === null ? !/^!|[*?]/.test(match) : match === agent
}

/** Where a limit would have to come from, for people. */
export function missingLimit({ name, level, window, unit }: RuleFigure): string {
  const by = window === 'task' ? 'with window: lifetime' : `with window: ${window}`
  const of = {
    all: 'no per and no match',
    agent: 'per: [agent]',
    task: 'per: [task] or [agent, task]',
  }[level]
  return `${name} is not set: there is no budget in ${unit} ${by} and ${of}`
}
