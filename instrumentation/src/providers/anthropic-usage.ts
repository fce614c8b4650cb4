import type { TokenCounts } from '@tokenfuse/protocol/names'
import { asArray, asCount, asObject, asText, type JsonObject } from './json.ts'
import type { ResponseProblem } from './problems.ts'

/** Token counts as Anthropic gives them: `input` is what was neither read from nor written to the cache. */
export type AnthropicCounts = {
  readonly input: number | null
  readonly cacheRead: number | null
  /** Written to the cache, for whatever lifetime. */
  readonly cacheCreation: number | null
  readonly cacheCreation5m: number | null
  readonly cacheCreation1h: number | null
  readonly output: number | null
  readonly thinking: number | null
}

/** One request to a model within a response, such as a turn of a server tool's loop. */
export type AnthropicIteration = {
  readonly type: string | null
  readonly model: string | null
  readonly counts: AnthropicCounts
}

export type AnthropicUsage = {
  readonly counts: AnthropicCounts
  readonly webSearches: number | null
  readonly iterations: readonly AnthropicIteration[]
  /** What the price depends on: the service tier, or `fast` for the fast speed. */
  readonly serviceTier: string | null
}

const NO_COUNTS: AnthropicCounts = Object.freeze({
  input: null,
  cacheRead: null,
  cacheCreation: null,
  cacheCreation5m: null,
  cacheCreation1h: null,
  output: null,
  thinking: null,
})

export const NO_ANTHROPIC_USAGE: AnthropicUsage = Object.freeze({
  counts: NO_COUNTS,
  webSearches: null,
  iterations: [],
  serviceTier: null,
})

/** Adds a usage object to what is known: the last number given for a field wins. Usage is cumulative, never added. */
export function mergeAnthropicUsage(
  known: AnthropicUsage,
  usage: JsonObject,
  problems: ResponseProblem[],
): AnthropicUsage {
  const serverTools = asObject(usage['server_tool_use'])
  const iterations = asArray(usage['iterations']).map((value): AnthropicIteration => {
    const iteration = asObject(value) ?? {}
    return {
      type: asText(iteration['type']),
      model: asText(iteration['model']),
      counts: mergeCounts(NO_COUNTS, iteration, problems),
    }
  })
  const isFast = usage['speed'] === 'fast'
  return {
    counts: mergeCounts(known.counts, usage, problems),
    webSearches: asCount(serverTools?.['web_search_requests'], problems) ?? known.webSearches,
    iterations: iterations.length > 0 ? iterations : known.iterations,
    serviceTier: (isFast ? 'fast' : asText(usage['service_tier'])) ?? known.serviceTier,
  }
}

function mergeCounts(
  known: AnthropicCounts,
  usage: JsonObject,
  problems: ResponseProblem[],
): AnthropicCounts {
  const creation = asObject(usage['cache_creation'])
  const outputDetails = asObject(usage['output_tokens_details'])
  const count = (value: unknown) => asCount(value, problems)
  return {
    input: count(usage['input_tokens']) ?? known.input,
    cacheRead: count(usage['cache_read_input_tokens']) ?? known.cacheRead,
    cacheCreation: count(usage['cache_creation_input_tokens']) ?? known.cacheCreation,
    cacheCreation5m: count(creation?.['ephemeral_5m_input_tokens']) ?? known.cacheCreation5m,
    cacheCreation1h: count(creation?.['ephemeral_1h_input_tokens']) ?? known.cacheCreation1h,
    output: count(usage['output_tokens']) ?? known.output,
    thinking: count(outputDetails?.['thinking_tokens']) ?? known.thinking,
  }
}

/** The sum of several requests, unknown where all are unknown. */
export function addCounts(a: AnthropicCounts, b: AnthropicCounts): AnthropicCounts {
  const add = (x: number | null, y: number | null) =>
    x === null && y === null ? null : (x ?? 0) + (y ?? 0)
  return {
    input: add(a.input, b.input),
    cacheRead: add(a.cacheRead, b.cacheRead),
    cacheCreation: add(a.cacheCreation, b.cacheCreation),
    cacheCreation5m: add(a.cacheCreation5m, b.cacheCreation5m),
    cacheCreation1h: add(a.cacheCreation1h, b.cacheCreation1h),
    output: add(a.output, b.output),
    thinking: add(a.thinking, b.thinking),
  }
}

export function sumOfCounts(all: readonly AnthropicCounts[]): AnthropicCounts {
  return all.reduce(addCounts, NO_COUNTS)
}

/**
 * The normal form. The split of cache writes by lifetime may be older than their sum, since a stream gives it at
 * the start alone: what the split does not cover counts as a write of the default lifetime.
 */
export function anthropicTokens(counts: AnthropicCounts): TokenCounts {
  const { input, cacheRead, cacheCreation5m, cacheCreation1h } = counts
  const written = counts.cacheCreation ?? sum(cacheCreation5m, cacheCreation1h)
  const cacheWrite1h =
    cacheCreation1h === null || written === null
      ? cacheCreation1h
      : Math.min(cacheCreation1h, written)
  return {
    input: sum(input, cacheRead, written),
    cacheRead,
    cacheWrite: written === null ? null : written - (cacheWrite1h ?? 0),
    cacheWrite1h,
    output: counts.output,
    reasoning: counts.thinking,
  }
}

function sum(...counts: (number | null)[]): number | null {
  const known = counts.filter((count) => count !== null)
  return known.length === 0 ? null : known.reduce((total, count) => total + count, 0)
}
