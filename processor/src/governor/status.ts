import type { BudgetStatus } from '@tokenfuse/protocol'
import { heldOf, outstandingOf } from './counter.ts'
import { isoFromMs } from './iso-time.ts'
import type { GovernorState } from './state.ts'
import { limitOf } from './thresholds.ts'

/** How full each budget is in its window of now, the fullest first. */
export function budgetStatuses(state: GovernorState): BudgetStatus[] {
  const statuses: BudgetStatus[] = []
  for (const counter of state.counters.values()) {
    const budget = state.policy?.byId.get(counter.budget)
    if (!budget || (counter.untilMs !== null && counter.untilMs <= state.logTimeMs)) continue
    const limit = limitOf(state, budget, counter.scope)
    statuses.push({
      budget: budget.id,
      scope: counter.scope,
      mode: budget.mode,
      unit: budget.unit,
      window: budget.window,
      windowFrom: isoFromMs(counter.fromMs),
      windowUntil: counter.untilMs === null ? null : isoFromMs(counter.untilMs),
      limit: String(limit),
      spent: String(counter.spent),
      outstanding: String(outstandingOf(counter)),
      held: String(heldOf(counter)),
      unconfirmed: String(counter.unconfirmed),
      usedRatio: limit > 0n ? Number((counter.spent * 1_000_000n) / limit) / 1_000_000 : 1,
    })
  }
  return statuses.sort((a, b) => b.usedRatio - a.usedRatio)
}
