import type { Decision } from '@tokenfuse/protocol'
import { scopeText } from './scope.ts'

/** What a decision does and to whom; the reason of a budget's own names its scope already. */
export function decisionHead({ action, mode, rule, scope }: Decision): string {
  const where = rule === null ? '' : ` for ${scopeText(scope)}`
  return `${action}${where}${mode === 'shadow' ? ' (shadow)' : ''}`
}
