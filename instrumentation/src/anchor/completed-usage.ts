import { UNKNOWN_TOKENS } from '@tokenfuse/protocol/names'
import type { UsagePart } from '@tokenfuse/protocol/names'
import type { Estimate } from '../estimate/estimate.ts'
import type { Settlement } from './settlement.ts'

export type CompletedUsage = Pick<Settlement, 'parts' | 'source' | 'problems'>

/** The answer broke off: what was seen of it is more than its usage had counted by then. */
export const PROBLEM_RAISED = 'usage_raised_to_estimate'

/**
 * Adds an estimate to what a provider said. What it said is never lowered; where the estimate is more, the usage is
 * labelled as one.
 */
export function completeUsage(
  { parts, source, problems }: Settlement,
  estimate: Estimate,
): CompletedUsage {
  if (parts.length === 0) {
    const { input, output } = estimate
    const tokens = { ...UNKNOWN_TOKENS, input, output }
    const part: UsagePart = { part: 'message', model: null, tokens, webSearches: 0 }
    return { parts: [part], source, problems: [...problems, ...estimate.problems] }
  }
  const raised = raise(parts, estimate)
  if (raised === null) return { parts, source, problems }
  return {
    parts: raised,
    source: 'estimate',
    problems: [...problems, PROBLEM_RAISED, ...estimate.problems],
  }
}

/** `null` where the provider said no less. Only the answer's own text was seen, not what an advisor wrote beside it. */
function raise(parts: readonly UsagePart[], estimate: Estimate): UsagePart[] | null {
  const isAnswer = ({ part }: UsagePart) => part === 'message' || part === 'attempt'
  const index = parts.findLastIndex(isAnswer)
  const answer = parts[index]
  if (answer === undefined) return null
  const said = (kind: 'input' | 'output') =>
    parts.filter(isAnswer).reduce((sum, { tokens }) => sum + (tokens[kind] ?? 0), 0)
  const more = (kind: 'input' | 'output') => Math.max(0, (estimate[kind] ?? 0) - said(kind))
  const added = { input: more('input'), output: more('output') }
  if (added.input + added.output === 0) return null
  const tokens = {
    ...answer.tokens,
    input: added.input === 0 ? answer.tokens.input : (answer.tokens.input ?? 0) + added.input,
    output: added.output === 0 ? answer.tokens.output : (answer.tokens.output ?? 0) + added.output,
  }
  return parts.with(index, { ...answer, tokens })
}
