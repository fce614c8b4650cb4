import type { UsageEvent } from '@tokenfuse/protocol'
import { type Amount, minus } from './amount.ts'
import { lendOn } from './apply-credit.ts'
import { type ActiveBudget, amountIn } from './budgets.ts'
import { callersCounters, ownCounter } from './count-in-budgets.ts'
import type { Counter } from './counter.ts'
import type { Effect } from './effect.ts'
import type { CountedCall } from './estimated-calls.ts'
import { isWithinRolling } from './rolling-spend.ts'
import { applyRules } from './rules/apply-rules.ts'
import type { GovernorState } from './state.ts'
import { decide } from './thresholds.ts'

/**
 * Another instrumentation knows more surely what a counted call used: the difference is counted, for those and at the
 * time that the call was counted for. No guard's credit covered it, and forecasts and detectors keep what they saw.
 */
export function applyBetterUsage(
  state: GovernorState,
  { event: counted, timeMs }: CountedCall,
  better: UsageEvent,
  effects: Effect[],
): void {
  const { tokens, charges, costPicoUsd, priced, source } = better
  const { call, amounts, ledger, policy } = state
  call.load(counted)
  amounts.loadDifference(counted, { ...counted, tokens, charges, costPicoUsd, priced, source })
  ledger.add(counted, amounts, state.dayAt(timeMs))
  for (const budget of policy?.budgets ?? []) {
    if (budget.unit === 'calls' || budget.unit === 'steps') continue
    const { rolling } = budget
    if (rolling && !isWithinRolling(rolling, timeMs, state.logTimeMs)) continue
    const amount = amountIn(budget.unit, amounts)
    if (amount === 0) continue
    const own = ownCounter(state, budget, timeMs)
    if (own) correct(state, budget, own, timeMs, amount, effects)
    for (const counter of callersCounters(state, budget, own, counted, timeMs)) {
      correct(state, budget, counter, timeMs, amount, effects)
    }
  }
  applyRules(state, timeMs, effects)
  state.hash.foldNumber(state.offset)
  effects.push({ type: 'improved', event: better })
}

function correct(
  state: GovernorState,
  budget: ActiveBudget,
  counter: Counter,
  timeMs: number,
  amount: Amount,
  effects: Effect[],
): void {
  if (amount > 0) counter.count(amount, null)
  else counter.letGo(minus(0, amount))
  if (budget.rolling) {
    state.rolling.add(budget.id, counter.scope, budget.rolling, timeMs, amount)
  }
  state.hash.foldNumber(counter.spentRest)
  state.counters.touch(counter)
  decide(state, counter, budget, effects)
  if (counter.accounts.size > 0) lendOn(state, counter, budget, effects)
  counter.settleDown()
}
