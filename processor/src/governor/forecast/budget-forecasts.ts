import type { BudgetForecast } from '@tokenfuse/protocol'
import type { ActiveBudget } from '../budgets.ts'
import { type Counter, isOver } from '../counter.ts'
import { isoFromMs } from '../iso-time.ts'
import type { GovernorState } from '../state.ts'
import type { Forecast } from './forecast.ts'
import { budgetUnits, forecastUnits } from './units.ts'

/** Which counters are asked for; without a field, all of them. */
export type ForecastQuery = { readonly budget?: string; readonly scope?: string }

/**
 * What the windows of now come to, by budget and scope in the order in which they were made: every counter of a
 * calendar window that has begun and is not over. Takes some 0.1 ms for each.
 */
export function budgetForecasts(state: GovernorState, query: ForecastQuery = {}): BudgetForecast[] {
  const { logTimeMs } = state
  const isAsked = (counter: Counter) =>
    (query.budget ?? counter.window.budget) === counter.window.budget &&
    (query.scope ?? counter.scope) === counter.scope &&
    counter.window.fromMs <= logTimeMs &&
    !isOver(counter, logTimeMs)
  return state.counters.inOrder(isAsked).flatMap((counter) => {
    const budget = state.policy?.byId.get(counter.window.budget)
    return budget?.forecast ? [budgetForecast(state, counter, budget)] : []
  })
}

/** What the window of a counter comes to as it looks at log time; `null` where history is insufficient. */
export function counterForecast(state: GovernorState, counter: Counter): Forecast | null {
  const { window, scope, spent, limit } = counter
  return state.forecasts.forecast(window.budget, scope, {
    nowMs: state.logTimeMs,
    spent: forecastUnits(window.unit, spent),
    limit: forecastUnits(window.unit, limit),
  })
}

function budgetForecast(
  state: GovernorState,
  counter: Counter,
  budget: ActiveBudget,
): BudgetForecast {
  const { window, scope, spent, limit } = counter
  const { unit } = budget
  const forecast = counterForecast(state, counter)
  const isRemembered = state.forecasts.has(budget.id, scope)
  return {
    budget: budget.id,
    scope,
    unit,
    window: budget.window,
    windowFrom: isoFromMs(window.fromMs),
    windowUntil: isoFromMs(window.untilMs ?? 0),
    limit: String(limit),
    spent: String(spent),
    forecast: forecast && {
      endOfWindow: budgetUnits(unit, forecast.point),
      lower: budgetUnits(unit, forecast.lower),
      upper: budgetUnits(unit, forecast.upper),
      breachProbability: forecast.breachProbability ?? 0,
      exhaustedAt: forecast.exhaustionMs === null ? null : isoFromMs(forecast.exhaustionMs),
      pastError: forecast.pastError,
    },
    missing: forecast ? null : isRemembered ? 'insufficient history' : 'too many scopes',
  }
}
