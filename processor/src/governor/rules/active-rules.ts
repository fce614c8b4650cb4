import {
  type Action,
  compileCondition,
  type Condition,
  figuresOf,
  isConditionProblem,
  type Rule,
  type RuleAction,
  type RuleFigure,
  type RuleLevel,
  type RuleWindow,
} from '@tokenfuse/protocol'
import { type CallScopes, SLOT } from '../call-scopes.ts'

/** A rule in force, taken apart once. */
export type ActiveRule = {
  readonly rule: Rule
  readonly condition: Condition
  readonly level: RuleLevel
  readonly limits: readonly RuleFigure[]
  readonly used: readonly RuleFigure[]
  readonly projected: readonly RuleFigure[]
  /** The shortest time that one of its figures counts over; a decision ends with it. */
  readonly window: RuleWindow
}

/** What is counted for rules of one level. */
export type CountedLevel = {
  readonly level: RuleLevel
  readonly windows: readonly RuleWindow[]
  /** Of a call's scopes, the number of the one it counts in. */
  readonly scopeNumber: number
}

export type ActiveRules = {
  readonly rules: readonly ActiveRule[]
  readonly byName: ReadonlyMap<string, ActiveRule>
  readonly levels: readonly CountedLevel[]
  /** Rules that another version wrote and this one cannot read. */
  readonly unreadable: readonly { readonly rule: string; readonly reason: string }[]
}

const SLOTS = {
  all: [],
  agent: [SLOT.agent],
  task: [SLOT.agent, SLOT.task],
} as const satisfies Record<RuleLevel, readonly number[]>

const SHORTEST_FIRST: readonly RuleWindow[] = ['hour', 'day', 'month', 'task']

/** @param call will have the scopes that the rules ask for */
export function activateRules(rules: readonly Rule[], call: CallScopes): ActiveRules {
  const active: ActiveRule[] = []
  const unreadable: { rule: string; reason: string }[] = []
  for (const rule of rules) {
    const condition = compileCondition(rule.condition)
    if (isConditionProblem(condition)) {
      unreadable.push({ rule: rule.name, reason: condition.message })
    } else active.push(activate(rule, condition))
  }
  const byName = new Map(active.map((each) => [each.rule.name, each]))
  return { rules: active, byName, levels: levelsOf(active, call), unreadable }
}

function activate(rule: Rule, condition: Condition): ActiveRule {
  const used = figuresOf(condition, 'used')
  const projected = figuresOf(condition, 'projected')
  const counting = [...used, ...projected]
  return {
    rule,
    condition,
    level: condition.level,
    limits: figuresOf(condition, 'limit'),
    used,
    projected,
    window: SHORTEST_FIRST.find((name) => counting.some(({ window }) => window === name)) ?? 'task',
  }
}

/** A level is counted where a rule of it or of a deeper one asks for what is used there. */
function levelsOf(rules: readonly ActiveRule[], call: CallScopes): CountedLevel[] {
  return (['all', 'agent', 'task'] as const).flatMap((level) => {
    const isWanted = rules.some((rule) => rule.level === level)
    const figures = rules.flatMap(({ used }) => used).filter((figure) => figure.level === level)
    if (!isWanted && figures.length === 0) return []
    const windows = SHORTEST_FIRST.filter((name) => figures.some(({ window }) => window === name))
    return [{ level, windows, scopeNumber: call.numberOf(SLOTS[level]) }]
  })
}

/** What guards do while a rule holds. */
export const DECIDED: Readonly<Record<RuleAction, Action>> = Object.freeze({
  warn: 'warn',
  notify_team: 'warn',
  investigate_agent: 'warn',
  pause: 'pause',
  block: 'block',
  pause_all_noncritical_agents: 'pause',
  kill_agent_task: 'kill',
})
