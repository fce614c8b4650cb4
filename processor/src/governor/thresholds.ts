import type { Action, Decision } from '@tokenfuse/protocol'
import type { ActiveBudget } from './budgets.ts'
import { type Counter, isOver } from './counter.ts'
import type { Effect } from './effect.ts'
import { isoFromMs } from './iso-time.ts'
import { recordDecision, recordEnd } from './record-decision.ts'
import type { GovernorState } from './state.ts'
import { windowAt } from './windows.ts'

/** Makes, changes or ends the decision on a counter after what was spent or the limit changed. */
export function decide(
  state: GovernorState,
  counter: Counter,
  budget: ActiveBudget,
  effects: Effect[],
): void {
  const action = counter.dueAction
  if (action === (counter.decision?.action ?? 'allow')) return
  // A late call may still count in a window that is over, but nothing more is decided for it.
  if (isOver(counter, state.logTimeMs)) return
  const decision = makeDecision(state, counter, budget, action, effects.length)
  counter.decision = action === 'allow' ? null : decision
  state.counters.classify(counter)
  state.counters.touch(counter)
  recordDecision(state, decision, effects)
}

/** Ends the decision on a counter whose window or budget is over. */
export function endDecision(
  state: GovernorState,
  counter: Counter,
  reason: string,
  effects: Effect[],
): void {
  const { decision } = counter
  if (!decision) return
  counter.decision = null
  state.counters.classify(counter)
  state.counters.touch(counter)
  // Guards know a decision by budget and scope, so one of the next window has taken its place there.
  if (isReplaced(state, counter)) return
  recordEnd(state, decision, reason, effects)
}

function isReplaced(state: GovernorState, { window, scope }: Counter): boolean {
  const budget = state.policy?.byId.get(window.budget)
  if (!budget) return false
  const { fromMs } = windowAt(budget.window, state.logTimeMs, state.zone)
  return (state.counters.get({ budget: budget.id, scope, fromMs })?.decision ?? null) !== null
}

function makeDecision(
  state: GovernorState,
  counter: Counter,
  budget: ActiveBudget,
  action: Action,
  index: number,
): Decision {
  return {
    id: `d${state.offset}-${index}`,
    version: state.offset,
    tenant: state.policy?.event.tenant ?? 'default',
    scope: counter.scope,
    budget: budget.id,
    rule: null,
    action,
    parameters: {},
    reason: reasonFor(action, counter),
    inputs: {
      unit: budget.unit,
      spent: String(counter.spent),
      limit: String(counter.limit),
      outstanding: String(counter.outstanding),
      forecast: null,
      policyVersion: state.policy?.version ?? 0,
    },
    from: isoFromMs(state.logTimeMs),
    until: counter.window.untilMs === null ? null : isoFromMs(counter.window.untilMs),
    mode: budget.mode === 'shadow' ? 'shadow' : 'enforce',
  }
}

function reasonFor(action: Action, { window, scope, spent, limit }: Counter): string {
  if (action === 'allow') return 'what is spent is below every threshold again'
  const percent = limit > 0 ? (BigInt(spent) * 100n) / BigInt(limit) : 100n
  const used = `budget ${window.budget} for ${scope} is ${percent}% used`
  return action === 'block' ? `${used}; nothing is left` : used
}
