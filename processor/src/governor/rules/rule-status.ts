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
    const note = inactive === null ? hardLimitNote(state, each) : null
    return { name, severity, condition, action, inactive, note, holding: holding.get(name) ?? 0 }
  })
  const rules = state.policy?.event.rules ?? []
  const unreadable = active.unreadable.flatMap(({ rule, reason }): RuleStatus[] => {
    const written = rules.find(({ name }) => name === rule)
    if (!written) return []
    const { name, severity, condition, action } = written
    return [{ name, severity, condition, action, inactive: reason, note: null, holding: 0 }]
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

/** Any amount will do: conditions hold what is used against limits. */
const SAMPLE = 1_000_000

/** A rule that holds only beyond a limit which a hard budget lets nobody pass. */
function hardLimitNote(
  state: GovernorState,
  { limits, used, projected, condition }: ActiveRule,
): string | null {
  const budgets = state.policy?.budgets ?? []
  const found = limits.map((figure) => findLimit(budgets, state.overrides, figure, ANYONE)?.budget)
  const hard = found.find((budget) => budget?.mode === 'hard')
  if (!hard || projected.length > 0 || found.some((budget) => budget?.mode !== 'hard')) return null
  const valuesAt = (amount: number) => ({
    agent: '',
    task: '',
    ...Object.fromEntries(limits.map(({ name }) => [name, SAMPLE])),
    ...Object.fromEntries(used.map(({ name }) => [name, amount])),
  })
  if (condition.holds(valuesAt(SAMPLE)) || !condition.holds(valuesAt(SAMPLE * SAMPLE))) return null
  return `it holds only beyond the limit of budget ${hard.id}, which is hard and stops before: make that mode: shadow, or hold the rule against a part of the limit`
}
