import type { Action, Decision } from '@tokenfuse/protocol'
import type { ActiveBudget } from './budgets.ts'
import { type Counter, heldOf, outstandingOf } from './counter.ts'
import type { Effect } from './effect.ts'
import { isoFromMs } from './iso-time.ts'
import type { GovernorState } from './state.ts'

const MAX_DECISIONS = 10_000
const SHARE_SCALE = 10_000

/** The limit in force for a scope: the budget's own and what overrides add. */
export function limitOf(state: GovernorState, budget: ActiveBudget, scope: string): bigint {
  let limit = budget.amount
  for (const override of state.overrides.values()) {
    if (override.budget === budget.id && override.scope === scope) limit += override.add
  }
  return limit
}

/** Makes, changes or ends the decision on a counter after what was spent or the limit changed. */
export function decide(
  state: GovernorState,
  key: string,
  counter: Counter,
  budget: ActiveBudget,
  effects: Effect[],
): void {
  const limit = limitOf(state, budget, counter.scope)
  const action = actionFor(counter.spent, limit, budget)
  const before = counter.decision?.action ?? 'allow'
  if (action === before) return
  const decision = makeDecision(state, counter, budget, limit, action, effects.length)
  counter.decision = action === 'allow' ? null : decision
  if (counter.decision) state.decided.add(key)
  else state.decided.delete(key)
  state.counters.touch(key)
  record(state, decision, effects)
}

/** Ends the decision on a counter whose window or budget is over. */
export function endDecision(
  state: GovernorState,
  key: string,
  counter: Counter,
  reason: string,
  effects: Effect[],
): void {
  const { decision } = counter
  if (!decision) return
  counter.decision = null
  state.decided.delete(key)
  state.counters.touch(key)
  const ended: Decision = {
    ...decision,
    id: `d${state.offset}-${effects.length}`,
    version: state.offset,
    action: 'allow',
    reason,
    from: isoFromMs(state.logTimeMs),
    until: null,
  }
  record(state, ended, effects)
}

function actionFor(spent: bigint, limit: bigint, budget: ActiveBudget): Action {
  if (spent >= limit) return 'block'
  const warnShare = BigInt(Math.round(budget.warnAt * SHARE_SCALE))
  return spent * BigInt(SHARE_SCALE) >= limit * warnShare ? 'warn' : 'allow'
}

function makeDecision(
  state: GovernorState,
  counter: Counter,
  budget: ActiveBudget,
  limit: bigint,
  action: Action,
  index: number,
): Decision {
  return {
    id: `d${state.offset}-${index}`,
    version: state.offset,
    tenant: state.policy?.event.tenant ?? 'default',
    scope: counter.scope,
    budget: budget.id,
    action,
    parameters: {},
    reason: reasonFor(action, counter, limit),
    inputs: {
      unit: counter.unit,
      spent: String(counter.spent),
      limit: String(limit),
      outstanding: String(outstandingOf(counter) + heldOf(counter)),
      forecast: null,
      policyVersion: state.policy?.version ?? 0,
    },
    from: isoFromMs(state.logTimeMs),
    until: counter.untilMs === null ? null : isoFromMs(counter.untilMs),
    mode: budget.mode === 'shadow' ? 'shadow' : 'enforce',
  }
}

function reasonFor(action: Action, counter: Counter, limit: bigint): string {
  if (action === 'allow') return 'what is spent is below every threshold again'
  const percent = limit > 0n ? (counter.spent * 100n) / limit : 100n
  const used = `budget ${counter.budget} for ${counter.scope} is ${percent}% used`
  return action === 'block' ? `${used}; nothing is left` : used
}

function record(state: GovernorState, decision: Decision, effects: Effect[]): void {
  state.decisions.set(decision.id, { order: state.offset, decision })
  const oldest = state.decisions.size > MAX_DECISIONS ? state.decisions.oldest() : undefined
  if (oldest !== undefined) state.decisions.delete(oldest)
  state.hash.fold(decision.id + decision.action)
  effects.push({ type: 'decision', decision })
}
