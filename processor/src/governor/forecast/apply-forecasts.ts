import type { Decision, ForecastOption } from '@tokenfuse/protocol'
import type { ActiveBudget } from '../budgets.ts'
import type { Counter } from '../counter.ts'
import type { Effect } from '../effect.ts'
import { isoFromMs } from '../iso-time.ts'
import type { GovernorState } from '../state.ts'
import { NEW_ROW } from '../table.ts'
import { recordDecision, recordEnd } from '../record-decision.ts'
import { counterForecast } from './budget-forecasts.ts'
import type { Forecast } from './forecast.ts'
import { decisionRowKey, type ForecastDecision } from './forecast-decisions.ts'
import type { ForecastWindow } from './plan.ts'
import { budgetUnits } from './units.ts'

/** Decisions that come of forecasts are told apart from those of thresholds by this. */
export const FORECAST_RULE = 'forecast'
/**
 * A decision ends when the probability has been below this part of what began it for this share of the window, so that
 * it neither comes and goes around one value nor ends in a short pause.
 */
const RELEASE = 0.5
const RELEASE_SHARE = 1 / 24

const MINUTE_MS = 60_000
/** A forecast takes 0.1 to 0.4 ms, so it is looked at now and then. */
const LOOK_EVERY_MS: Readonly<Record<ForecastWindow, number>> = {
  hour: MINUTE_MS,
  day: 5 * MINUTE_MS,
  week: 30 * MINUTE_MS,
  month: 30 * MINUTE_MS,
}

/** Makes or ends the decision that the forecast of a counter asks for, where it is time to look at it. */
export function lookAtForecast(
  state: GovernorState,
  counter: Counter,
  budget: ActiveBudget,
  effects: Effect[],
): void {
  const { forecast: option, forecasting } = budget
  const { bin } = counter
  if (!option || !forecasting || !bin?.row || state.logTimeMs < bin.lookMs) return
  const { fromMs, untilMs } = counter.window
  // A late call may count in a window that is over; nothing is decided for it.
  if (untilMs === null || untilMs <= state.logTimeMs || fromMs > state.logTimeMs) return
  const nextMs = state.logTimeMs + LOOK_EVERY_MS[forecasting.window]
  state.forecasts.looked(bin, nextMs)
  decide(state, counter, budget, option, nextMs, effects)
}

function decide(
  state: GovernorState,
  counter: Counter,
  budget: ActiveBudget,
  option: ForecastOption,
  nextMs: number,
  effects: Effect[],
): void {
  const { forecastDecisions } = state
  let known = forecastDecisions.find(budget.id, counter.scope)
  if (known && known.windowFromMs !== counter.window.fromMs) {
    endForecastDecision(state, known, 'the window is over', effects)
    known = undefined
  }
  const forecast = counterForecast(state, counter)
  const probability = forecast?.breachProbability ?? 0
  if (known) {
    const isLow = probability < option.probability * RELEASE
    forecastDecisions.looked(known, nextMs, isLow ? (known.lowSinceMs ?? state.logTimeMs) : null)
    const lengthMs = known.windowUntilMs - known.windowFromMs
    const lowMs = state.logTimeMs - (known.lowSinceMs ?? state.logTimeMs)
    if (!isLow || lowMs < lengthMs * RELEASE_SHARE) return
    endForecastDecision(state, known, 'the limit is not likely to be passed any more', effects)
    return
  }
  if (!forecast || probability < option.probability) return
  const decision = makeDecision(state, counter, budget, { option, forecast, index: effects.length })
  forecastDecisions.set({
    key: decisionRowKey(budget.id, counter.scope),
    order: state.nextOrder(),
    budget: budget.id,
    scope: counter.scope,
    windowFromMs: counter.window.fromMs,
    windowUntilMs: counter.window.untilMs ?? 0,
    decision,
    lookMs: nextMs,
    lowSinceMs: null,
    ...NEW_ROW,
  })
  recordDecision(state, decision, effects)
}

/** Ends decisions with their windows, and looks again at those that go on though nobody calls. */
export function tickForecastDecisions(state: GovernorState, effects: Effect[]): void {
  const { forecastDecisions, logTimeMs, counters } = state
  for (const row of forecastDecisions.inForce()) {
    if (row.windowUntilMs <= logTimeMs) {
      endForecastDecision(state, row, 'the window is over', effects)
      continue
    }
    if (row.lookMs > logTimeMs) continue
    const { budget: id, scope, windowFromMs: fromMs } = row
    const counter = counters.get({ budget: id, scope, fromMs })
    const budget = state.policy?.byId.get(id)
    const option = budget?.forecast
    if (!counter || !budget?.forecasting || !option) {
      endForecastDecision(state, row, 'nothing counts there any more', effects)
      continue
    }
    const nextMs = logTimeMs + LOOK_EVERY_MS[budget.forecasting.window]
    decide(state, counter, budget, option, nextMs, effects)
  }
}

/** A limit may have been raised: what the forecast does not ask for any more by it ends at once. */
export function forecastLimitChanged(
  state: GovernorState,
  budget: ActiveBudget,
  scope: string,
  effects: Effect[],
): void {
  const known = state.forecastDecisions.find(budget.id, scope)
  if (!known || !budget.forecast) return
  const counter = state.counters.get({ budget: budget.id, scope, fromMs: known.windowFromMs })
  if (!counter || BigInt(counter.limit) <= BigInt(known.decision.inputs.limit ?? 0)) return
  const forecast = counterForecast(state, counter)
  if ((forecast?.breachProbability ?? 0) >= budget.forecast.probability) return
  endForecastDecision(state, known, 'the limit was raised', effects)
}

/** Another policy is in force: ends what it does not ask for, or asks for in another way. */
export function endOutdatedForecastDecisions(state: GovernorState, effects: Effect[]): void {
  for (const row of state.forecastDecisions.inForce()) {
    const budget = state.policy?.byId.get(row.budget)
    const { budget: id, scope, windowFromMs: fromMs } = row
    const isKept = state.counters.get({ budget: id, scope, fromMs }) !== undefined
    if (isKept && budget?.forecast?.action === row.decision.action) {
      forecastLimitChanged(state, budget, scope, effects)
    } else endForecastDecision(state, row, 'the policy has changed', effects)
  }
}

function endForecastDecision(
  state: GovernorState,
  row: ForecastDecision,
  reason: string,
  effects: Effect[],
): void {
  state.forecastDecisions.delete(row)
  recordEnd(state, row.decision, reason, effects)
}

function makeDecision(
  state: GovernorState,
  { window, scope, spent, limit, outstanding }: Counter,
  budget: ActiveBudget,
  made: {
    readonly option: ForecastOption
    readonly forecast: Forecast
    readonly index: number
  },
): Decision {
  const { option, forecast, index } = made
  const { point, lower, upper, breachProbability, exhaustionMs } = forecast
  const units = (amount: number) => budgetUnits(budget.unit, amount)
  const percent = Math.round((breachProbability ?? 0) * 100)
  return {
    id: `d${state.offset}-${index}`,
    version: state.offset,
    tenant: state.policy?.event.tenant ?? 'default',
    scope,
    budget: budget.id,
    rule: FORECAST_RULE,
    action: option.action,
    parameters: {
      breachProbability: breachProbability ?? 0,
      lower: units(lower),
      upper: units(upper),
      ...(exhaustionMs !== null && { exhaustedAt: isoFromMs(exhaustionMs) }),
    },
    reason: `budget ${budget.id} for ${scope} will pass its limit this ${budget.window} with a probability of ${percent}%`,
    inputs: {
      unit: budget.unit,
      spent: String(spent),
      limit: String(limit),
      outstanding: String(outstanding),
      forecast: units(point),
      policyVersion: state.policy?.version ?? 0,
    },
    from: isoFromMs(state.logTimeMs),
    until: isoFromMs(window.untilMs ?? 0),
    mode: budget.mode === 'shadow' ? 'shadow' : 'enforce',
  }
}
