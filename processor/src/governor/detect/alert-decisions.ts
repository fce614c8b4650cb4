import {
  type Decision,
  decisionKey,
  DETECTION_ACTIONS,
  type DetectionAction,
} from '@tokenfuse/protocol'
import type { Effect } from '../effect.ts'
import { isoFromMs } from '../iso-time.ts'
import type { GovernorState } from '../state.ts'
import { recordDecision, recordEnd } from '../record-decision.ts'
import { type AlertRow, ruleOf } from './alert.ts'
import { LEVELS } from './levels.ts'

const NAMELESS = 'Neither its task nor its session is known, so nothing is stopped.'

/** Whether an alert stops what it is about. */
export function isStopping({ action, decision }: AlertRow): boolean {
  return decision !== null && action !== 'warn'
}

/** Whether the policy wants another action than what is in force. */
export function needsDecision(state: GovernorState, row: AlertRow): boolean {
  return actionFor(state, row) !== row.action
}

/** Puts the action for an alert's level into force. */
export function decideOn(state: GovernorState, row: AlertRow, effects: Effect[]): void {
  const action = actionFor(state, row)
  // What is over may only be let go.
  if (action === 'none' || row.untilMs !== null) {
    endDecisionOn(state, row, 'the policy does nothing about it', effects)
    row.action = action
    return
  }
  const decision = decisionOn(state, row, action, effects.length)
  row.action = action
  row.decision = decision
  row.decisionId = decision.id
  state.detectors.alerts.touch(row)
  recordDecision(state, decision, effects)
}

/** An operator lets it go. */
export function liftAlert(
  state: GovernorState,
  row: AlertRow,
  reason: string,
  effects: Effect[],
): void {
  row.isLifted = true
  row.action = 'none'
  endDecisionOn(state, row, reason, effects)
}

export function endDecisionOn(
  state: GovernorState,
  row: AlertRow,
  reason: string,
  effects: Effect[],
): void {
  const { decision } = row
  if (!decision) return
  row.decision = null
  state.detectors.alerts.touch(row)
  if (!isHeldByOthers(state, decision)) recordEnd(state, decision, reason, effects)
}

/** Of one session there may be several runs: guards know what is decided on them as one. */
function isHeldByOthers(state: GovernorState, decision: Decision): boolean {
  const key = decisionKey(decision)
  const others = state.detectors.alerts.inForce()
  return others.some((row) => row.decision !== null && decisionKey(row.decision) === key)
}

/**
 * What a level asks for, or a milder one that was passed: who goes on is not to be let off. What cannot be told apart by
 * a scope can only be warned of.
 */
function actionFor({ policy }: GovernorState, { facts, isLifted }: AlertRow): DetectionAction {
  if (isLifted) return 'none'
  const detect = policy?.event.policy.detect
  const actions = facts.kind === 'spike' ? detect?.spike : detect?.runaway
  let action: DetectionAction = 'none'
  for (const level of LEVELS.slice(0, LEVELS.indexOf(facts.level) + 1)) {
    const asked = actions?.[level] ?? 'warn'
    if (DETECTION_ACTIONS.indexOf(asked) > DETECTION_ACTIONS.indexOf(action)) action = asked
  }
  return action === 'none' || facts.isActionable ? action : 'warn'
}

function decisionOn(
  state: GovernorState,
  { key, tenant, facts, holdsUntilMs }: AlertRow,
  action: Exclude<DetectionAction, 'none'>,
  index: number,
): Decision {
  const { kind, level, scope, reason, tokens, savesTokens, run } = facts
  return {
    id: `d${state.offset}-${index}`,
    version: state.offset,
    tenant,
    scope,
    budget: null,
    rule: ruleOf(kind),
    action,
    parameters: {
      alert: key,
      level,
      ...(run && { trace: run.trace }),
      ...(savesTokens !== null && { savesTokens }),
    },
    reason: facts.isActionable || run === null ? reason : `${reason} ${NAMELESS}`,
    inputs: {
      unit: 'tokens',
      spent: String(tokens),
      limit: null,
      outstanding: null,
      forecast: null,
      policyVersion: state.policy?.version ?? 0,
    },
    from: isoFromMs(state.logTimeMs),
    until: isoFromMs(holdsUntilMs),
    mode: 'enforce',
  }
}
