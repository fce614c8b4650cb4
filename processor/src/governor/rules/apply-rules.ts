import { UNKNOWN } from '@tokenfuse/protocol'
import { SLOT } from '../call-scopes.ts'
import type { Effect } from '../effect.ts'
import type { GovernorState } from '../state.ts'
import type { ActiveRule } from './active-rules.ts'
import { beginHolding, endHolding } from './decisions.ts'
import { conditionValues, type Figures, figuresFor } from './figures.ts'
import type { Held } from './held.ts'
import type { RuleScope } from './rule-scope.ts'

/** A condition that holds no more has to stay so for so long, where what is used cannot have begun anew. */
const CLEAR_AFTER_MS = 300_000
/** A rule on a task that nobody works on for so long holds no longer. */
const SILENT_MS = 86_400_000
const MINUTE_MS = 60_000

/** Counts the call that is loaded for the rules, and evaluates those that look at a scope of it. */
export function applyRules(state: GovernorState, timeMs: number, effects: Effect[]): void {
  const { rules, call, amounts, logTimeMs } = state
  // What was refused used nothing, so no rule's figures have changed.
  if (rules.active.rules.length === 0 || amounts.isRefusal) return
  for (const level of rules.active.levels) {
    // Calls that name no task are no task.
    if (level.level === 'task' && call.name(SLOT.task) === UNKNOWN) continue
    const row = rules.count(level, call, amounts, { timeMs, logTimeMs })
    const isNewMinute = noteMinute(row, logTimeMs)
    for (const rule of rules.active.rules) {
      if (rule.level !== level.level) continue
      if (rule.projected.length > 0 && !isNewMinute) continue
      evaluate(state, rule, row, effects)
    }
  }
}

/** Forecasts take a while to make and change slowly: they are looked at once a minute. */
function noteMinute(row: RuleScope, logTimeMs: number): boolean {
  const minute = Math.floor(logTimeMs / MINUTE_MS)
  if (row.projectedMinute === minute) return false
  row.projectedMinute = minute
  return true
}

function evaluate(state: GovernorState, rule: ActiveRule, row: RuleScope, effects: Effect[]): void {
  const held = row.held?.get(rule.rule.name)
  const figures = figuresFor(state, rule, row)
  const holds = figures !== null && conditionHolds(rule, figures, row)
  if (holds && !held) beginHolding(state, rule, row, figures, effects)
  else if (held && holds !== (held.clearMs === null)) {
    state.rules.setClear(held, holds ? null : state.logTimeMs + CLEAR_AFTER_MS)
  }
}

function conditionHolds({ condition }: ActiveRule, figures: Figures, row: RuleScope): boolean {
  try {
    return condition.holds(conditionValues(figures, row))
  } catch {
    // Numbers written down that lead nowhere in one of its branches, such as 1 / 0.
    return false
  }
}

/** Ends the rules that hold and whose time is up. */
export function tickRules(state: GovernorState, effects: Effect[]): void {
  const { rules, logTimeMs } = state
  if (rulesDueMs(state) > logTimeMs) return
  for (const held of [...rules.held()]) {
    const { untilMs, clearMs } = held
    if (untilMs !== null && untilMs <= logTimeMs) {
      endHolding(state, held, 'its window is over', effects)
    } else if (clearMs !== null && clearMs <= logTimeMs) {
      endHolding(state, held, 'its condition does not hold any more', effects)
    } else if (silentAtMs(state, held) <= logTimeMs) {
      endHolding(state, held, 'nobody has called for a day', effects)
    }
  }
}

/** Log time at which `tickRules` would do something; infinite for never. */
export function rulesDueMs(state: GovernorState): number {
  let due = Infinity
  for (const held of state.rules.held()) {
    const { untilMs, clearMs } = held
    due = Math.min(due, untilMs ?? Infinity, clearMs ?? Infinity, silentAtMs(state, held))
  }
  return due
}

function silentAtMs({ rules }: GovernorState, { untilMs, scope }: Held): number {
  if (untilMs !== null) return Infinity
  return (rules.scope(scope)?.lastMs ?? 0) + SILENT_MS
}

/** Another policy is in force: ends what does not hold by it. */
export function rulesChanged(
  state: GovernorState,
  before: ReadonlyMap<string, ActiveRule>,
  effects: Effect[],
): void {
  for (const held of [...state.rules.held()]) {
    const rule = state.rules.active.byName.get(held.rule)
    const old = before.get(held.rule)
    if (!rule || JSON.stringify(rule.rule) !== JSON.stringify(old?.rule)) {
      endHolding(state, held, 'the rule was changed', effects)
    }
  }
  limitsChanged(state, effects)
}

/** Limits may have changed, as operators wanted it: what does not hold by them ends at once. */
export function limitsChanged(state: GovernorState, effects: Effect[]): void {
  const { rules } = state
  rules.limitsEpoch++
  for (const held of [...rules.held()]) {
    const rule = rules.active.byName.get(held.rule)
    const row = rules.scope(held.scope)
    if (!rule || !row) continue
    const figures = figuresFor(state, rule, row)
    // Where a forecast is not known for a while, the rule ends by its own time.
    if (figures === null && rule.projected.length > 0) continue
    if (figures === null || !conditionHolds(rule, figures, row)) {
      endHolding(state, held, 'its condition does not hold any more', effects)
    }
  }
}
