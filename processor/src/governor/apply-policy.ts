import type { OverrideSet, PolicySet } from '@tokenfuse/protocol'
import { amountFrom } from './amount.ts'
import { lendOn } from './apply-credit.ts'
import type { ActiveBudget } from './budgets.ts'
import type { Counter } from './counter.ts'
import { reconsiderAlerts } from './detect/apply-detections.ts'
import type { Effect } from './effect.ts'
import { endOutdatedForecastDecisions, forecastLimitChanged } from './forecast/apply-forecasts.ts'
import { msFromIso } from './iso-time.ts'
import { limitsChanged, rulesChanged } from './rules/apply-rules.ts'
import type { GovernorState } from './state.ts'
import { decide, endDecision } from './thresholds.ts'

/**
 * Brings a policy into force. A budget that stays keeps what it counted; one that counts another thing than before
 * (unit, window or `per`) begins anew, as does a new one.
 */
export function applyPolicySet(state: GovernorState, event: PolicySet, effects: Effect[]): void {
  const before = state.policy
  if ((before?.version ?? null) !== event.basedOn) {
    const message = `made from policy version ${event.basedOn}, but ${before?.version ?? 'none'} is in force`
    effects.push({ type: 'rejected', event, code: 'policy_outdated', message })
    return
  }
  const rulesBefore = state.rules.active.byName
  const policy = state.setPolicy(event, state.offset)
  state.hash.foldNumber(state.offset)
  effects.push({ type: 'policy', version: state.offset })
  state.forecasts.forgetBudgets((id) => {
    const [old, budget] = [before?.byId.get(id), policy.byId.get(id)]
    return !budget || old?.since !== budget.since
  })
  const decided = state.counters.decided()
  for (const counter of [...state.counters.values()]) {
    const old = before?.byId.get(counter.window.budget)
    const budget = policy.byId.get(counter.window.budget)
    if (!budget || old?.since !== budget.since) state.counters.delete(counter)
    else state.counters.setLimit(counter, budget)
  }
  for (const counter of decided) {
    if (counter.isGone) endDecision(state, counter, 'the budget is gone from the policy', effects)
  }
  endOutdatedForecastDecisions(state, effects)
  reconsiderAlerts(state, effects)
  for (const counter of state.counters.inOrder(needsAnotherLook)) {
    const budget = policy.byId.get(counter.window.budget)
    if (budget) reconsider(state, counter, budget, effects)
  }
  rulesChanged(state, rulesBefore, effects)
}

function needsAnotherLook(counter: Counter): boolean {
  return counter.accounts.size > 0 || counter.dueAction !== (counter.decision?.action ?? 'allow')
}

/** Raises the limit of one scope until a time, or else until its window ends. */
export function applyOverrideSet(
  state: GovernorState,
  event: OverrideSet,
  effects: Effect[],
): void {
  const budget = state.policy?.byId.get(event.budget)
  if (!budget) {
    const message = `there is no budget "${event.budget}"`
    effects.push({ type: 'rejected', event, code: 'not_found', message })
    return
  }
  if (state.overrides.isFull) {
    const message = 'there are too many overrides in force'
    effects.push({ type: 'rejected', event, code: 'bad_request', message })
    return
  }
  const { scope, reason, by } = event
  const counter = state.counters.forScope(budget, scope, state.logTimeMs, state.zone)
  const before = state.overrides.set({
    key: event.id,
    order: state.nextOrder(),
    budget: event.budget,
    scope,
    add: amountFrom(event.add),
    untilMs: event.until === null ? counter.window.untilMs : msFromIso(event.until),
    reason,
    by,
  })
  state.hash.fold(event.id)
  const other = before && state.policy?.byId.get(before.budget)
  if (other) limitChanged(state, other, before.scope, effects)
  limitChanged(state, budget, scope, effects)
}

/** Overrides on a scope have come or gone. */
export function limitChanged(
  state: GovernorState,
  budget: ActiveBudget,
  scope: string,
  effects: Effect[],
): void {
  for (const counter of state.counters.ofScope(budget.id, scope)) {
    state.counters.setLimit(counter, budget)
    reconsider(state, counter, budget, effects)
  }
  forecastLimitChanged(state, budget, scope, effects)
  limitsChanged(state, effects)
}

function reconsider(
  state: GovernorState,
  counter: Counter,
  budget: ActiveBudget,
  effects: Effect[],
): void {
  decide(state, counter, budget, effects)
  if (counter.accounts.size > 0) lendOn(state, counter, budget, effects)
}
