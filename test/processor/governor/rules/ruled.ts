import {
  type Decision,
  type PolicyInput,
  policySchema,
  type Rule,
  ruleSchema,
  zoneOffsets,
} from '@tokenfuse/protocol'
import type { Effect } from '../../../../processor/src/governor/effect.ts'
import { defaultRules } from '../../../../processor/src/policy/rules-file.ts'
import { DAY_MS, type Governed, MONDAY_MS } from '../support/governed.ts'

/** Brings budgets and rules into force; those that are shipped where none are named. */
export function setRules(
  governed: Governed,
  budgets: PolicyInput['budgets'],
  rules: readonly Rule[] = defaultRules(),
  atMs = MONDAY_MS,
): Effect[] {
  const policy = policySchema.parse({ version: 1, budgets })
  const zone = zoneOffsets(policy.timezone, atMs - DAY_MS, atMs + 100 * DAY_MS)
  const basedOn = governed.governor.policy()?.version ?? null
  return governed.apply(
    { type: 'policy.set', v: 1, tenant: 'default', basedOn, policy, rules: [...rules], zone },
    atMs,
  )
}

export function rule(fields: Partial<Rule>): Rule {
  return ruleSchema.parse({
    name: 'one',
    severity: 'P2',
    condition: 'daily_tokens > 100',
    action: 'warn',
    message: 'told',
    ...fields,
  })
}

/** Budgets that give each of the four rules its limit: 1000 a day, 100 an hour and agent, 10 a task. */
export const LIMITS: PolicyInput['budgets'] = [
  { id: 'daily', window: 'day', limit: { tokens: 1000 }, mode: 'shadow' },
  { id: 'hourly', window: 'hour', per: ['agent'], limit: { tokens: 100 }, mode: 'shadow' },
  { id: 'task', window: 'lifetime', per: ['task'], limit: { tokens: 10 }, mode: 'shadow' },
]

/** `rule action scope` of each decision of a rule, in order. */
export function decided(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.type !== 'decision' || !isOfRule(effect.decision)) return []
    const { rule: name, action, scope } = effect.decision
    return [`${name} ${action} ${scope}`]
  })
}

/** Detectors have decisions without a budget, too. */
const isOfRule = ({ rule: name }: Decision) => name !== null && !/^runaway\.|^spike$/.test(name)

/** What people were told. */
export function told(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => (effect.type === 'notify' ? [effect.notification.text] : []))
}
