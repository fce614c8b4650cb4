import {
  type Decision,
  figureText,
  fillMessage,
  mainFigures,
  type RuleFigure,
} from '@tokenfuse/protocol'
import type { Effect } from '../effect.ts'
import { isoFromMs } from '../iso-time.ts'
import type { GovernorState } from '../state.ts'
import { NEW_ROW } from '../table.ts'
import { recordDecision, recordEnd } from '../record-decision.ts'
import { type ActiveRule, DECIDED } from './active-rules.ts'
import { conditionValue, type Figures } from './figures.ts'
import { type Held, heldKey } from './held.ts'
import type { RuleScope } from './rule-scope.ts'

/** A rule has begun to hold: it is decided, remembered, and told of once. */
export function beginHolding(
  state: GovernorState,
  rule: ActiveRule,
  row: RuleScope,
  figures: Figures,
  effects: Effect[],
): void {
  const { untilMs } = state.rules.windowAt(rule.window, state.logTimeMs)
  const decision = makeDecision(state, rule, row, figures, { untilMs, index: effects.length })
  const { name, severity, action } = rule.rule
  const held: Held = {
    key: heldKey(name, row.key),
    order: state.nextOrder(),
    rule: name,
    scope: row.key,
    untilMs,
    clearMs: null,
    decision,
    isLifted: false,
    ...NEW_ROW,
  }
  recordDecision(state, decision, effects)
  effects.push({
    type: 'notify',
    notification: {
      id: decision.id,
      time: decision.from,
      source: 'rule',
      name,
      severity,
      action,
      scope: row.key,
      text: decision.reason,
    },
  })
  const surplus = state.rules.hold(row, held)
  if (surplus) endHolding(state, surplus, 'there was no room for more decisions', effects)
}

/** A rule holds no longer. */
export function endHolding(
  state: GovernorState,
  held: Held,
  reason: string,
  effects: Effect[],
): void {
  state.rules.release(held)
  if (held.isLifted || isHeldByOthers(state, held)) return
  recordEnd(state, held.decision, `rule ${held.rule} holds no longer: ${reason}`, effects)
}

/**
 * An operator lets go of what a rule has stopped.
 * @param reason `null` where another lift tells of it
 */
export function liftRule(
  state: GovernorState,
  held: Held,
  reason: string | null,
  effects: Effect[],
): void {
  state.rules.lift(held)
  if (reason !== null) recordEnd(state, held.decision, reason, effects)
}

/** Of a rule that stops everything for one of its scopes, another scope may still hold: guards know both as one. */
function isHeldByOthers({ rules }: GovernorState, { rule, scope, decision }: Held): boolean {
  if (decision.scope === scope) return false
  for (const other of rules.held()) {
    if (other.isLifted || other.rule !== rule) continue
    if (other.decision.scope === decision.scope) return true
  }
  return false
}

function makeDecision(
  state: GovernorState,
  { rule, condition }: ActiveRule,
  row: RuleScope,
  figures: Figures,
  { untilMs, index }: { readonly untilMs: number | null; readonly index: number },
): Decision {
  const named: Record<string, number> = {}
  for (const [figure, amount] of figures) named[figure.name] = conditionValue(figure, amount)
  const { agent, task } = row
  const isForAll = rule.action === 'pause_all_noncritical_agents'
  return {
    id: `d${state.offset}-${index}`,
    version: state.offset,
    tenant: state.policy?.event.tenant ?? 'default',
    scope: isForAll ? '*' : row.key,
    budget: null,
    rule: rule.name,
    action: DECIDED[rule.action],
    parameters: {
      ruleAction: rule.action,
      severity: rule.severity,
      condition: rule.condition,
      ...(isForAll && { exceptCriticality: 'critical' }),
      ...figureParameters(figures),
    },
    reason: fillMessage(rule.message, condition, { agent, task, figures: named }),
    inputs: inputsOf(state, mainFigures(condition), figures),
    from: isoFromMs(state.logTimeMs),
    until: untilMs === null ? null : isoFromMs(untilMs),
    mode: 'enforce',
  }
}

/** What the condition saw, for whoever asks why. */
function figureParameters(figures: Figures): Record<string, string> {
  const parameters: Record<string, string> = {}
  for (const [figure, amount] of figures) {
    parameters[figure.name] = figureText(conditionValue(figure, amount), figure.unit)
  }
  return parameters
}

function inputsOf(
  state: GovernorState,
  { used, limit }: { readonly used: RuleFigure | null; readonly limit: RuleFigure | null },
  figures: Figures,
): Decision['inputs'] {
  const unit = used?.unit === 'tokens' ? 'tokens' : used?.unit === 'usd' ? 'picoUsd' : null
  const amountOf = (figure: RuleFigure | null) => {
    const isOfUnit = figure !== null && unit !== null && figure.unit === used?.unit
    return isOfUnit ? String(figures.get(figure) ?? 0) : null
  }
  const isForecast = used?.kind === 'projected'
  return {
    unit,
    spent: isForecast ? null : amountOf(used),
    limit: amountOf(limit),
    outstanding: null,
    forecast: isForecast ? amountOf(used) : null,
    policyVersion: state.policy?.version ?? 0,
  }
}
