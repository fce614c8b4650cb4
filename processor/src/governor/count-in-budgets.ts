import type { UsageEvent } from '@tokenfuse/protocol'
import type { GuardAccount } from './account.ts'
import type { Amount } from './amount.ts'
import { lendOn } from './apply-credit.ts'
import { type ActiveBudget, amountIn, isCounted, scopeOfCaller } from './budgets.ts'
import { countRolling } from './count-rolling.ts'
import type { Counter } from './counter.ts'
import type { Effect } from './effect.ts'
import { lookAtForecast } from './forecast/apply-forecasts.ts'
import type { ForecastBudget } from './forecast/scope-forecasts.ts'
import { forecastUnits } from './forecast/units.ts'
import { mayLend } from './lending.ts'
import { type Rank, rankOf } from './scarcity.ts'
import type { Scope } from './scopes.ts'
import type { GovernorState } from './state.ts'
import { decide } from './thresholds.ts'

/** A call that was found to count, and when. */
type CountedCall = {
  readonly event: UsageEvent
  readonly timeMs: number
  /** The guard that made it, where it is known to have credit. */
  readonly guard: string | null
  readonly rank: Rank
}

/** Counts the call that is loaded in each of its budgets. */
export function countInBudgets(
  state: GovernorState,
  event: UsageEvent,
  timeMs: number,
  effects: Effect[],
): void {
  const { policy } = state
  if (!policy || policy.budgets.length === 0) return
  const guard = event.guard === null ? null : (state.guards.get(event.guard)?.key ?? null)
  const counted = { event, timeMs, guard, rank: rankOf(event.criticality) }
  for (const budget of policy.budgets) {
    const own = ownCounter(state, budget, timeMs)
    if (own) countOn(state, counted, budget, own, effects)
    for (const counter of callersCounters(state, budget, own, event, timeMs)) {
      countOn(state, counted, budget, counter, effects)
    }
  }
}

/** The counter of the scope that the call which is loaded is in by itself; `null` where the budget is not for it. */
export function ownCounter(
  { call, counters, zone }: GovernorState,
  budget: ActiveBudget,
  timeMs: number,
): Counter | null {
  if (!isCounted(budget, call)) return null
  return counters.forCall(budget, call.scopes[budget.scopeNumber] as Scope, timeMs, zone)
}

/** Of a nested budget, the further counters of those that the call is made for. */
export function callersCounters(
  { call, counters, zone }: GovernorState,
  budget: ActiveBudget,
  own: Counter | null,
  event: UsageEvent,
  timeMs: number,
): readonly Counter[] {
  if (!budget.nested || !event.callers) return NONE
  const found = new Set<Counter>()
  for (const caller of event.callers) {
    if (!isCounted(budget, call, caller)) continue
    const counter = counters.forScope(budget, scopeOfCaller(budget, call, caller), timeMs, zone)
    if (counter !== own) found.add(counter)
  }
  return [...found]
}
const NONE: readonly Counter[] = Object.freeze([])

function countOn(
  state: GovernorState,
  { event, timeMs, guard, rank }: CountedCall,
  budget: ActiveBudget,
  counter: Counter,
  effects: Effect[],
): void {
  const account = guard === null ? null : counter.accounts.get(guard)
  counter.noteRank(rank)
  const { rolling } = budget
  const isSteps = budget.unit === 'steps'
  const amount = isSteps
    ? countStep(state, event, counter, account)
    : amountIn(budget.unit, state.amounts)
  const isQuiet = !isSteps && !rolling && counter.countQuietly(amount, account)
  if (rolling) countRolling(state, rolling, counter, account, timeMs, amount)
  else if (!isSteps && !isQuiet) counter.count(amount, account)
  if (budget.forecasting) recordForForecast(state, counter, budget.forecasting, timeMs, amount)
  if (budget.forecast) lookAtForecast(state, counter, budget, effects)
  state.hash.foldNumber(counter.spentRest)
  state.counters.touch(counter)
  if (isQuiet) return
  decide(state, counter, budget, effects)
  if (counter.accounts.size > 0 && mayLend(counter, account)) {
    lendOn(state, counter, budget, effects)
  }
  counter.settleDown()
}

function recordForForecast(
  { forecasts, logTimeMs }: GovernorState,
  counter: Counter,
  budget: ForecastBudget,
  timeMs: number,
  amount: Amount,
): void {
  if (counter.bin === null || counter.bin.isGone) {
    counter.bin = forecasts.binOf(budget, counter.scope, timeMs)
  }
  forecasts.record(counter.bin, timeMs, logTimeMs, forecastUnits(counter.window.unit, amount))
}

/**
 * Each guard takes credit for the first call that it makes of a step; the step counts once, whoever takes it.
 * @returns what was counted
 */
function countStep(
  { counters: { steps }, amounts }: GovernorState,
  event: UsageEvent,
  counter: Counter,
  account: GuardAccount | null,
): Amount {
  if (amounts.isRefusal) return 0
  counter.steps ??= new Set()
  const amount = steps.isFirst(counter.steps, event, null) ? 1 : 0
  const isFirstOfGuard = account !== null && steps.isFirst(counter.steps, event, account.guard)
  counter.count(amount, account, isFirstOfGuard ? 1 : 0)
  return amount
}
