import {
  DEFAULT_TENANT,
  type Policy,
  type Rule,
  type RuleStatus,
  zoneOffsets,
} from '@tokenfuse/protocol'
import { Governor } from '../governor/governor.ts'

const DAY_MS = 86_400_000

/** What a policy comes to that is read without an error. */
export type PolicyCheck = {
  readonly inactiveBudgets: readonly { readonly budget: string; readonly reason: string }[]
  readonly rules: readonly RuleStatus[]
}

/** Brings a policy into force in a governor of its own, and asks that. */
export function checkPolicy(policy: Policy, rules: readonly Rule[], nowMs: number): PolicyCheck {
  const { notify: _, ...kept } = policy
  const governor = new Governor()
  const zone = zoneOffsets(kept.timezone, nowMs - DAY_MS, nowMs + DAY_MS)
  governor.apply({
    offset: 1,
    logTimeMs: nowMs,
    event: {
      type: 'policy.set',
      v: 1,
      tenant: DEFAULT_TENANT,
      basedOn: null,
      policy: kept,
      rules: [...rules],
      zone,
    },
  })
  return { inactiveBudgets: governor.inactiveBudgets(), rules: governor.ruleStatuses() }
}
