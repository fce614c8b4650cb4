import type { UsagePart, UsageSource } from '@tokenfuse/protocol/names'
import type { ResponseFacts } from '../providers/index.ts'
import type { Ending } from './ending.ts'

/** What a call costs, before any estimate. */
export type Settlement = {
  readonly parts: readonly UsagePart[]
  readonly source: UsageSource
  readonly problems: readonly string[]
  readonly error: string | null
  /** What is to be estimated because nobody said it: what the model read, what it wrote, or both. */
  readonly estimate: 'nothing' | 'input' | 'output' | 'all'
}

/**
 * The rules of the ledger. A call costs what its provider says. Where it says nothing:
 * - an error answer (status 400 and above) bills nothing: no tokens are known and none are owed;
 * - a request that never reached the provider bills nothing;
 * - a request that may have reached it and got no answer may be billed: its input is estimated, its output is unknown;
 * - an answer without usage is estimated, from what was sent and from what was seen of the answer;
 * - an answer that broke off tells its input, and of its output only the beginning: the rest is estimated from what
 *   was seen, and what the provider said is never lowered.
 * The first two carry `provider` as source, since nothing about their cost is uncertain.
 */
export function settle(ending: Ending): Settlement {
  if (ending.kind === 'no_response') {
    return {
      parts: [],
      source: ending.wasSent ? 'estimate' : 'provider',
      problems: [ending.wasSent ? 'no_response' : 'request_not_sent'],
      error: ending.error,
      estimate: ending.wasSent ? 'input' : 'nothing',
    }
  }
  const { facts, statusCode, reason } = ending
  const isRefusedByProvider = statusCode !== null && statusCode >= 400
  const error = facts?.error ?? (isRefusedByProvider ? String(statusCode) : null)
  const seen: readonly string[] = facts?.problems ?? ['response_unreadable']
  // Clients give up a stream once they have its last event, which tells nothing about its usage.
  const isWhole = facts?.source === 'provider' || seen.includes('usage_missing')
  const problems = isWhole ? seen : [...seen, ...endProblems(reason)]
  if (facts !== null && facts.source !== null) {
    return { parts: facts.parts, source: facts.source, problems, error, estimate: missing(facts) }
  }
  if (isRefusedByProvider) {
    return { parts: [], source: 'provider', problems, error, estimate: 'nothing' }
  }
  const estimate = facts === null ? 'input' : 'all'
  return { parts: [], source: 'estimate', problems, error, estimate }
}

function missing({ source, parts, outputText }: ResponseFacts): Settlement['estimate'] {
  if (source !== 'partial' || outputText === '') return 'nothing'
  return parts.some(({ tokens }) => tokens.input !== null) ? 'output' : 'all'
}

function endProblems(reason: 'complete' | 'aborted' | 'failed'): string[] {
  if (reason === 'aborted') return ['response_aborted']
  return reason === 'failed' ? ['response_broken'] : []
}
