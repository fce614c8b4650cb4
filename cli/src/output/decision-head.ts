import type { Decision } from '@tokenfuse/protocol'

/** What a decision does and to whom; the reason of a budget's own names its scope already. */
export function decisionHead({ action, mode, rule, scope }: Decision): string {
  const where = rule === null ? '' : ` for ${scope === '*' ? 'everything' : scope}`
  return `${action}${where}${mode === 'shadow' ? ' (shadow)' : ''}`
}
