import type { ConditionValues, RuleFigure } from '@tokenfuse/protocol'
import { type Amount, amountFrom } from '../amount.ts'
import { counterForecast } from '../forecast/budget-forecasts.ts'
import { budgetUnits } from '../forecast/units.ts'
import type { GovernorState } from '../state.ts'
import { windowAt } from '../windows.ts'
import type { ActiveRule } from './active-rules.ts'
import { findLimit, type Whose } from './limits.ts'
import type { RuleScope } from './rule-scope.ts'

const PICO_PER_USD = 1e12

/** A figure as conditions have it: tokens and calls whole, USD as a number. */
export function conditionValue({ unit }: RuleFigure, amount: Amount): number {
  return unit === 'usd' ? Number(amount) / PICO_PER_USD : Number(amount)
}

/** What was used in the window of now, whole: tokens, calls or pico-USD. */
export function usedAmount(state: GovernorState, row: RuleScope, figure: RuleFigure): Amount {
  const { window, unit } = figure
  const count = scopeOf(state, row, figure).counts[window]
  if (!count || count.fromMs < state.rules.windowAt(window, state.logTimeMs).fromMs) return 0
  return unit === 'usd' ? count.cost : count[unit]
}

/** The scope of a figure's level around a scope of a rule's. */
function scopeOf(state: GovernorState, row: RuleScope, { level }: RuleFigure): RuleScope {
  if (level === row.level) return row
  const key = level === 'all' ? '*' : row.agentKey
  return state.rules.scope(key) ?? row
}

/** The limit behind a variable for a scope; `null` where none is set. */
export function limitAmount(
  state: GovernorState,
  row: RuleScope,
  figure: RuleFigure,
): Amount | null {
  const { rules, policy, overrides } = state
  if (row.limits === null || row.limitsEpoch !== rules.limitsEpoch) {
    row.limits = new Map()
    row.limitsEpoch = rules.limitsEpoch
  }
  const known = row.limits.get(figure.name)
  if (known !== undefined) return known
  const found = findLimit(policy?.budgets ?? [], overrides, figure, row)
  row.limits.set(figure.name, found?.amount ?? null)
  return found?.amount ?? null
}

/** What the budget behind a limit comes to; `null` where there is none, or its history is insufficient. */
export function projectedAmount(state: GovernorState, figure: RuleFigure): Amount | null {
  const { policy, overrides, counters, logTimeMs, zone } = state
  const nobody: Whose = { agent: null, task: null }
  const found = findLimit(policy?.budgets ?? [], overrides, figure, nobody)
  if (!found) return null
  const { budget, scope } = found
  const { fromMs } = windowAt(budget.window, logTimeMs, zone)
  const counter = counters.get({ budget: budget.id, scope, fromMs })
  const forecast = counter && counterForecast(state, counter)
  return forecast ? amountFrom(budgetUnits(budget.unit, forecast.point)) : null
}

/** Amounts by variable. */
export type Figures = ReadonlyMap<RuleFigure, Amount>

/** Everything that a rule asks for; `null` where a limit is not set or a forecast is not known. */
export function figuresFor(state: GovernorState, rule: ActiveRule, row: RuleScope): Figures | null {
  const figures = new Map<RuleFigure, Amount>()
  for (const figure of rule.limits) {
    const amount = limitAmount(state, row, figure)
    if (amount === null) return null
    figures.set(figure, amount)
  }
  for (const figure of rule.projected) {
    const amount = projectedAmount(state, figure)
    if (amount === null) return null
    figures.set(figure, amount)
  }
  for (const figure of rule.used) figures.set(figure, usedAmount(state, row, figure))
  return figures
}

export function conditionValues(figures: Figures, { agent, task }: Whose): ConditionValues {
  const values: Record<string, number | string> = { agent: agent ?? '', task: task ?? '' }
  for (const [figure, amount] of figures) values[figure.name] = conditionValue(figure, amount)
  return values
}
