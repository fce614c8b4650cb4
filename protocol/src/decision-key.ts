import type { Decision } from './decision.ts'

/** A decision replaces an older one with the same key. */
export function decisionKey({
  tenant,
  budget,
  rule,
  scope,
}: Pick<Decision, 'tenant' | 'budget' | 'rule' | 'scope'>): string {
  return `${tenant}|${budget ?? ''}|${rule ?? ''}|${scope}`
}
