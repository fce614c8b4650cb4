import {
  addTokens,
  ATTR_USAGE_PARTS,
  ATTR_USAGE_SOURCE,
  type TokenCounts,
  tokenProblems,
  UNKNOWN_TOKENS,
  USAGE_SOURCES,
  type UsagePart,
  type UsageSource,
} from '@tokenfuse/protocol'
import { countsCacheApart } from './providers.ts'
import type { SpanFields } from './span-fields.ts'
import { readUsageParts } from './usage-parts.ts'

export type Usage = {
  /** Sums over the parts. */
  readonly tokens: TokenCounts
  /** Empty where no count is known. */
  readonly parts: readonly UsagePart[]
  readonly source: UsageSource
}

/** The usage attributes as they stand; both cache writes are one count in the conventions. */
type ToldCounts = {
  readonly input: number | null
  readonly cacheRead: number | null
  readonly cacheWrites: number | null
  readonly cacheWrite1h: number | null
  readonly output: number | null
  readonly reasoning: number | null
}

/**
 * A call's tokens in normal form.
 * @param provider as the conventions name it
 * @param problems whatever cannot be true is added here; the answer is then of no use
 */
export function readUsage(fields: SpanFields, provider: string, problems: string[]): Usage {
  const source = toldSource(fields, problems)
  const told = toldCounts(fields, problems)
  const text = fields.value('parts')
  if (text !== null) {
    const parts = readUsageParts(typeof text === 'string' ? text : '', problems)
    const tokens = parts.reduce((sum, part) => addTokens(sum, part.tokens), UNKNOWN_TOKENS)
    // Whether cached counts fit into the input shows in each part; a sum may lack the input of some.
    const sumProblems = tokenProblems(tokens).filter((problem) => problem === 'token_count_absurd')
    problems.push(...sumProblems, ...disagreements(told, tokens))
    return { tokens, parts, source: sourceOf(source, tokens, fields) }
  }
  const foreign = source === null
  const tokens = normalForm(foreign && countsCacheApart(provider) ? withCacheInInput(told) : told)
  problems.push(...tokenProblems(tokens))
  const part: UsagePart = { part: 'message', model: null, tokens, webSearches: 0 }
  const parts = isUnknown(tokens) ? [] : [part]
  return { tokens, parts, source: sourceOf(source, tokens, fields) }
}

function toldCounts(fields: SpanFields, problems: string[]): ToldCounts {
  return {
    input: fields.count('input', problems),
    cacheRead: fields.count('cacheRead', problems),
    cacheWrites: fields.count('cacheWrite', problems),
    cacheWrite1h: fields.count('cacheWrite1h', problems),
    output: fields.count('output', problems),
    reasoning: fields.count('reasoning', problems),
  }
}

/** A difference below 0 is left as it is, for `tokenProblems` to find. */
function normalForm({ cacheWrites, ...told }: ToldCounts): TokenCounts {
  const cacheWrite = cacheWrites === null ? null : cacheWrites - (told.cacheWrite1h ?? 0)
  return { ...told, cacheWrite }
}

/**
 * The conventions say that input includes what was cached, but older emitters pass on the counts of Anthropic and
 * Bedrock as they are, without. Certain only where the cached parts exceed the input; otherwise the input is taken
 * as the conventions have it.
 */
function withCacheInInput(told: ToldCounts): ToldCounts {
  const cached = (told.cacheRead ?? 0) + (told.cacheWrites ?? told.cacheWrite1h ?? 0)
  if (told.input === null || told.input >= cached) return told
  return { ...told, input: told.input + cached }
}

/** The single counts, where they came along, must be the sums of the parts. */
function disagreements(told: ToldCounts, sum: TokenCounts): string[] {
  const writes =
    sum.cacheWrite === null && sum.cacheWrite1h === null
      ? null
      : (sum.cacheWrite ?? 0) + (sum.cacheWrite1h ?? 0)
  const sums: ToldCounts = { ...sum, cacheWrites: writes }
  return (Object.keys(told) as (keyof ToldCounts)[])
    .filter((name) => told[name] !== null && told[name] !== sums[name])
    .map((name) => `${ATTR_USAGE_PARTS} sums up to ${sums[name]} as ${name}, not ${told[name]}`)
}

function toldSource(fields: SpanFields, problems: string[]): UsageSource | null {
  const value = fields.value('source')
  if (value === null) return null
  const source = USAGE_SOURCES.find((known) => known === value)
  if (source === undefined)
    problems.push(`${ATTR_USAGE_SOURCE} is none of ${USAGE_SOURCES.join(', ')}`)
  return source ?? null
}

function sourceOf(told: UsageSource | null, tokens: TokenCounts, fields: SpanFields): UsageSource {
  if (told === 'cache') return told
  // Whoever claims to know it: nothing known is partial at best, and must not pass for a better source.
  if (isUnknown(tokens)) return 'partial'
  if (told !== null) return told
  const wantsOutput = fields.value('operation') !== 'embeddings'
  const complete = tokens.input !== null && (tokens.output !== null || !wantsOutput)
  return complete ? 'provider' : 'partial'
}

function isUnknown(tokens: TokenCounts): boolean {
  return Object.values(tokens).every((count) => count === null)
}
