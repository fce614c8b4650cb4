import type { TokenCounts } from '@tokenfuse/protocol/names'
import { asCount, asObject, type JsonObject } from './json.ts'
import { note, type ResponseProblem } from './problems.ts'

/** Token counts as OpenAI's dialects give them, not yet in normal form. `null` is unknown. */
export type OpenAiUsage = {
  readonly input: number | null
  readonly cached: number | null
  readonly cacheWrite: number | null
  readonly output: number | null
  readonly reasoning: number | null
  readonly total: number | null
}

/** Where a provider that speaks OpenAI's dialect counts differently from OpenAI. */
export type OpenAiCounting = {
  /** Reasoning is not part of the output count, and a cached count above the input is not part of the input. */
  readonly countsApart: boolean
  /** The operation generates no tokens, so that a missing output count is 0 where the total says so. */
  readonly hasNoOutput: boolean
}

export const NO_OPENAI_USAGE: OpenAiUsage = Object.freeze({
  input: null,
  cached: null,
  cacheWrite: null,
  output: null,
  reasoning: null,
  total: null,
})

/**
 * Adds a usage object of chat completions, responses, completions or embeddings to what is known: the last
 * number given for a field wins, and nothing else ever replaces one.
 */
export function mergeOpenAiUsage(
  known: OpenAiUsage,
  usage: JsonObject,
  problems: ResponseProblem[],
): OpenAiUsage {
  const inputDetails = asObject(usage['prompt_tokens_details'] ?? usage['input_tokens_details'])
  const outputDetails = asObject(
    usage['completion_tokens_details'] ?? usage['output_tokens_details'],
  )
  const count = (...values: unknown[]) =>
    asCount(
      values.find((value) => value !== undefined && value !== null),
      problems,
    )
  return {
    input: count(usage['prompt_tokens'], usage['input_tokens']) ?? known.input,
    cached:
      count(
        inputDetails?.['cached_tokens'],
        usage['num_cached_tokens'],
        usage['cached_tokens'],
        usage['prompt_cache_hit_tokens'],
      ) ?? known.cached,
    cacheWrite: count(inputDetails?.['cache_write_tokens']) ?? known.cacheWrite,
    output: count(usage['completion_tokens'], usage['output_tokens']) ?? known.output,
    reasoning:
      count(outputDetails?.['reasoning_tokens'], usage['reasoning_tokens']) ?? known.reasoning,
    total: count(usage['total_tokens']) ?? known.total,
  }
}

/** The normal form. Counts that contradict each other are raised to the least that holds them all, and noted. */
export function openAiTokens(
  usage: OpenAiUsage,
  counting: OpenAiCounting,
  problems: ResponseProblem[],
): TokenCounts {
  const input = inputTotal(usage, counting, problems)
  const output = outputTotal(usage, counting)
  let reasoning = usage.reasoning
  if (reasoning !== null && output !== null && reasoning > output) {
    note(problems, 'reasoning_exceeds_output')
    reasoning = output
  }
  if (usage.total !== null && input !== null && output !== null) {
    const sums = [input + output, (usage.input ?? 0) + output]
    if (!sums.includes(usage.total)) note(problems, 'total_mismatch')
  }
  return {
    input,
    cacheRead: usage.cached,
    cacheWrite: usage.cacheWrite,
    cacheWrite1h: null,
    output,
    reasoning,
  }
}

function inputTotal(
  usage: OpenAiUsage,
  counting: OpenAiCounting,
  problems: ResponseProblem[],
): number | null {
  const { input } = usage
  const cached = (usage.cached ?? 0) + (usage.cacheWrite ?? 0)
  if (input === null || cached <= input) return input
  if (counting.countsApart) return input + cached
  note(problems, 'cache_exceeds_input')
  return cached
}

function outputTotal(usage: OpenAiUsage, counting: OpenAiCounting): number | null {
  const { input, output, reasoning, total } = usage
  if (output === null) return counting.hasNoOutput && total !== null && total === input ? 0 : null
  if (reasoning === null || reasoning === 0) return output
  // A gateway may pass on an answer of a provider that counts apart; the total gives it away.
  const totalSaysApart = total !== null && input !== null && total === input + output + reasoning
  return counting.countsApart || totalSaysApart ? output + reasoning : output
}
