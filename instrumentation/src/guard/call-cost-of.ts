import { stepKey } from './call-values.ts'
import { outputRules } from '../providers/index.ts'
import type { KnownProfile } from './credit/ask.ts'
import type { CallCost } from './credit/call-cost.ts'
import type { GuardedCall } from './guard.ts'
import { type InputEstimator, promptBytes } from './input-estimator.ts'

/** Of answers of which nothing is known yet. */
const FIRST_P95_OUTPUT = 1_000
const FIRST_P99_OUTPUT = 2_000

/** A request's size for the estimate, and what calls it is compared with. */
export type PromptSize = { readonly kind: string; readonly bytes: number }

export function promptSize({ endpoint, facts, bodyText }: GuardedCall): PromptSize {
  const bytes = bodyText === null ? 0 : promptBytes(bodyText)
  return { kind: `${endpoint.dialect} ${facts.model}`, bytes }
}

/** What a call may cost, with what the governor has told of calls like it. */
export function callCost(
  call: GuardedCall,
  size: PromptSize,
  estimator: InputEstimator,
  profile: KnownProfile | null,
): CallCost {
  const { endpoint, facts, bodyText } = call
  const rules = outputRules(endpoint.dialect, facts)
  const noOutput = endpoint.dialect === 'openai.embeddings'
  return {
    inputTokens: estimator.estimate(size.kind, size.bytes),
    choices: facts.choices,
    outputLimit: noOutput ? 0 : facts.maxOutputTokens,
    outputBound: profile?.contextTokens ?? null,
    minimumOutput: noOutput ? 0 : rules.minimumOutput,
    cappable: rules.cappable && call.isChangeable,
    p95Output: noOutput ? 0 : (profile?.output.p95 ?? FIRST_P95_OUTPUT),
    p99Output: noOutput ? 0 : (profile?.output.p99 ?? FIRST_P99_OUTPUT),
    rate: profile && profile.rate,
    step: stepKey(call.attribution),
    writesCache: bodyText?.includes('"cache_control"') ?? false,
  }
}
