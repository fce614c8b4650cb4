import type { RuleStatus } from '@tokenfuse/protocol'
import type { GovernorState } from '../state.ts'
import type { ActiveRule } from './active-rules.ts'
import { projectedAmount } from './figures.ts'
import { findLimit, missingLimit } from './limits.ts'

const ANYONE = Object.freeze({ agent: null, task: null })

/** Each rule in force, whether it can hold for anyone, and where it holds. */
export function ruleStatuses(state: GovernorState): RuleStatus[] {
  const { active } = state.rules
  const holding = new Map<string, number>()
  for (const { rule } of state.rules.held()) holding.set(rule, (holding.get(rule) ?? 0) + 1)
  const readable = active.rules.map((each): RuleStatus => {
    const { name, severity, condition, action } = each.rule
    const inactive = inactiveReason(state, each)
    return { name, severity, condition, action, inactive, holding: holding.get(name) ?? 0 }
  })
  const rules = state.policy?.event.rules ?? []
  const unreadable = active.unreadable.flatMap(({ rule, reason }): RuleStatus[] => {
    const written = rules.find(({ name }) => name === rule)
    if (!written) return []
    const { name, severity, condition, action } = written
    return [{ name, severity, condition, action, inactive: reason, holding: 0 }]
  })
  return [...readable, ...unreadable]
}

/** Why a rule cannot hold for anyone now; `null` where it can. */
function inactiveReason(state: GovernorState, { limits, projected }: ActiveRule): string | null {
  const budgets = state.policy?.budgets ?? []
  for (const figure of [...limits, ...projected]) {
    const found = findLimit(budgets, state.overrides, figure, ANYONE)
    if (!found) return missingLimit(figure)
  }
  const unknown = projected.find((figure) => projectedAmount(state, figure) === null)
  return unknown ? `${unknown.name} is not known yet: insufficient history` : null
}
