import type { Zone } from '@tokenfuse/protocol'
import type { ActiveBudget } from './budgets.ts'
import { type Counter, counterKey } from './counter.ts'
import type { GovernorState } from './state.ts'
import { windowAt } from './windows.ts'

const MAX_COUNTERS = 1_000_000
const UTC: Zone = { name: 'UTC', offsets: [{ fromMs: 0, offsetMs: 0 }] }

/** The zone whose days the policy counts in; UTC while there is no policy. */
export function zoneOf(state: GovernorState): Zone {
  return state.policy?.event.zone ?? UTC
}

/** The key of a scope's counter in the window of now, whether there is one or not. */
export function currentKey(state: GovernorState, budget: ActiveBudget, scope: string): string {
  const { fromMs } = windowAt(budget.window, state.logTimeMs, zoneOf(state))
  return counterKey({ budget: budget.id, scope, fromMs })
}

/** The counter of a scope in the window of a time, made where there is none. */
export function counterAt(
  state: GovernorState,
  budget: ActiveBudget,
  scope: string,
  timeMs: number,
): { readonly key: string; readonly counter: Counter } {
  const window = windowAt(budget.window, timeMs, zoneOf(state))
  const key = counterKey({ budget: budget.id, scope, fromMs: window.fromMs })
  let counter = state.counters.get(key)
  if (!counter) {
    counter = {
      order: state.offset,
      budget: budget.id,
      scope,
      unit: budget.unit,
      ...window,
      spent: 0n,
      unguarded: 0n,
      unconfirmed: 0n,
      accounts: new Map(),
      decision: null,
    }
    state.counters.set(key, counter)
    if (state.counters.size > MAX_COUNTERS) evictCounter(state)
  }
  return { key, counter }
}

/** Lets the oldest counter go on which no credit is out. */
function evictCounter(state: GovernorState): void {
  for (const [key, counter] of state.counters.entries()) {
    if (counter.accounts.size > 0) continue
    state.counters.delete(key)
    state.evictedCounters++
    return
  }
}
