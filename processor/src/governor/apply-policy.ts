import type { LogEntry, OverrideSet, PolicySet } from '@tokenfuse/protocol'
import { lendOn } from './apply-credit.ts'
import { activatePolicy, type ActiveBudget } from './budgets.ts'
import type { Counter } from './counter.ts'
import { counterAt } from './counter-at.ts'
import type { Effect } from './effect.ts'
import { msFromIso } from './iso-time.ts'
import type { GovernorState } from './state.ts'
import { decide, endDecision } from './thresholds.ts'

/**
 * Brings a policy into force. A budget that stays keeps what it counted; one that counts another thing than before
 * (unit, window or `per`) begins anew, as does a new one.
 */
export function applyPolicySet(
  state: GovernorState,
  { event, offset }: LogEntry<PolicySet>,
  effects: Effect[],
): void {
  const before = state.policy
  if ((before?.version ?? null) !== event.basedOn) {
    const message = `made from policy version ${event.basedOn}, but ${before?.version ?? 'none'} is in force`
    effects.push({ type: 'rejected', event, code: 'policy_outdated', message })
    return
  }
  const policy = activatePolicy(event, offset)
  state.policy = policy
  state.hash.foldNumber(offset)
  effects.push({ type: 'policy', version: offset })
  for (const [key, counter] of [...state.counters.entries()]) {
    const old = before?.byId.get(counter.budget)
    const budget = policy.byId.get(counter.budget)
    if (!budget || (old && countsAnother(old, budget))) {
      endDecision(state, key, counter, 'the budget is gone from the policy', effects)
      state.counters.delete(key)
      continue
    }
    reconsider(state, key, counter, budget, effects)
  }
}

function countsAnother(old: ActiveBudget, budget: ActiveBudget): boolean {
  return (
    old.unit !== budget.unit ||
    old.window !== budget.window ||
    old.per.join(',') !== budget.per.join(',')
  )
}

/** Raises the limit of one scope until a time, or else until its window ends. */
export function applyOverrideSet(
  state: GovernorState,
  { event, offset, logTimeMs }: LogEntry<OverrideSet>,
  effects: Effect[],
): void {
  const budget = state.policy?.byId.get(event.budget)
  if (!budget) {
    const message = `there is no budget "${event.budget}"`
    effects.push({ type: 'rejected', event, code: 'not_found', message })
    return
  }
  const { key, counter } = counterAt(state, budget, event.scope, logTimeMs)
  state.overrides.set(event.id, {
    order: offset,
    id: event.id,
    budget: event.budget,
    scope: event.scope,
    add: BigInt(event.add),
    untilMs: event.until === null ? counter.untilMs : msFromIso(event.until),
    reason: event.reason,
    by: event.by,
  })
  state.hash.fold(event.id)
  reconsider(state, key, counter, budget, effects)
}

function reconsider(
  state: GovernorState,
  key: string,
  counter: Counter,
  budget: ActiveBudget,
  effects: Effect[],
): void {
  decide(state, key, counter, budget, effects)
  if (counter.accounts.size > 0) lendOn(state, key, counter, budget, effects)
}
