import type { BudgetStatus } from '@tokenfuse/protocol'
import { heldOf, isOver, lentOf } from './counter.ts'
import { isoFromMs } from './iso-time.ts'
import type { GovernorState } from './state.ts'

/** How full each budget is in its window of now, the fullest first. */
export function budgetStatuses(state: GovernorState): BudgetStatus[] {
  const statuses: BudgetStatus[] = []
  for (const counter of state.counters.inOrder((each) => !isOver(each, state.logTimeMs))) {
    const budget = state.policy?.byId.get(counter.window.budget)
    if (!budget) continue
    const { window, spent, limit } = counter
    statuses.push({
      budget: budget.id,
      scope: counter.scope,
      mode: budget.mode,
      unit: budget.unit,
      window: budget.window,
      windowFrom: isoFromMs(
        budget.rolling ? state.logTimeMs - budget.rolling.windowMs : window.fromMs,
      ),
      windowUntil: window.untilMs === null ? null : isoFromMs(window.untilMs),
      limit: String(limit),
      spent: String(spent),
      outstanding: String(lentOf(counter)),
      held: String(heldOf(counter)),
      unconfirmed: String(counter.unconfirmed),
      usedRatio: limit > 0 ? usedRatio(BigInt(spent), BigInt(limit)) : 1,
    })
  }
  return statuses.sort((a, b) => b.usedRatio - a.usedRatio)
}

const usedRatio = (spent: bigint, limit: bigint) => Number((spent * 1_000_000n) / limit) / 1_000_000
