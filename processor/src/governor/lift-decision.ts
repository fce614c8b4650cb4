import { type Decision, type DecisionLift, decisionKey } from '@tokenfuse/protocol'
import type { AlertRow } from './detect/alert.ts'
import { liftAlert } from './detect/alert-decisions.ts'
import type { Effect } from './effect.ts'
import { liftRule } from './rules/decisions.ts'
import type { GovernorState } from './state.ts'

/**
 * An operator lets go of what a detection or a rule has stopped. It is not stopped again by the same for as long as that
 * lasts: the task or spike, or the rule in its scope. What a budget has stopped goes on by a higher limit instead.
 */
export function applyDecisionLift(
  state: GovernorState,
  event: DecisionLift,
  effects: Effect[],
): void {
  const { decision: id, by, reason } = event
  const known = state.decisions.get(id)?.decision ?? null
  if (known === null || !isLifted(state, known, `lifted by ${by}: ${reason}`, effects)) {
    const message = `nothing that could be lifted is in force under "${id}"`
    effects.push({ type: 'rejected', event, code: 'not_found', message })
    return
  }
  state.hash.fold(id)
}

/** Also where another decision has taken its place: whoever was refused knows the one of that moment. */
function isLifted(
  state: GovernorState,
  known: Decision,
  reason: string,
  effects: Effect[],
): boolean {
  const key = decisionKey(known)
  const isMeant = (decision: Decision | null) => decision !== null && decisionKey(decision) === key
  const told = state.detectors.alerts.inForce()
  const meant = told.filter(({ decision }) => isMeant(decision))
  // What else was found of a task that is let go would stop it again at its next call.
  const alerts = told.filter((row) => meant.some((each) => isOfSameRun(row, each)))
  for (const alert of alerts) liftAlert(state, alert, reason, effects)
  const held = [...state.rules.held()].filter((row) => !row.isLifted && isMeant(row.decision))
  // Guards know one decision of a rule that stops everything, however many scopes it holds in.
  held.forEach((row, at) => liftRule(state, row, at === held.length - 1 ? reason : null, effects))
  return alerts.length + held.length > 0
}

function isOfSameRun(one: AlertRow, two: AlertRow): boolean {
  if (one === two) return true
  const [run, other] = [one.facts.run, two.facts.run]
  return run !== null && run.agent === other?.agent && run.name === other.name
}
