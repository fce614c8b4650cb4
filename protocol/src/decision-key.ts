import type { Decision } from './decision.ts'

/** A decision replaces an older one with the same key. */
export function decisionKey(decision: Pick<Decision, 'tenant' | 'budget' | 'scope'>): string {
  return `${decision.tenant}|${decision.budget ?? ''}|${decision.scope}`
}
