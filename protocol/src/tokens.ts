/**
 * Tokens of one request in normal form. `input` is everything the model read; the cache fields are parts of it.
 * `output` is everything it generated; `reasoning` is a part of it. `null` is unknown, which is not 0.
 *
 * Invariant: input = uncached + cacheRead + cacheWrite + cacheWrite1h, all whole and not negative, and
 * reasoning <= output. An unknown part counts as 0 in the check.
 */
export type TokenCounts = {
  readonly input: number | null
  readonly cacheRead: number | null
  /** Writes of the default lifetime (five minutes where the provider has two). */
  readonly cacheWrite: number | null
  readonly cacheWrite1h: number | null
  readonly output: number | null
  readonly reasoning: number | null
}

export const UNKNOWN_TOKENS: TokenCounts = Object.freeze({
  input: null,
  cacheRead: null,
  cacheWrite: null,
  cacheWrite1h: null,
  output: null,
  reasoning: null,
})

/** Input that was neither read from nor written to a cache. Never negative. */
export function uncachedInput(tokens: TokenCounts): number {
  const cached = (tokens.cacheRead ?? 0) + (tokens.cacheWrite ?? 0) + (tokens.cacheWrite1h ?? 0)
  return Math.max(0, (tokens.input ?? 0) - cached)
}

/** Counts above this are no usage but a bug or an attack: a thousand times the largest context window. */
export const MAX_TOKENS_PER_CALL = 10_000_000_000

export type TokenProblem =
  | 'token_count_not_whole'
  | 'token_count_negative'
  | 'token_count_absurd'
  | 'cache_exceeds_input'
  | 'reasoning_exceeds_output'

/** What is wrong with the counts; empty where they hold. */
export function tokenProblems(tokens: TokenCounts): TokenProblem[] {
  const problems = new Set<TokenProblem>()
  for (const count of Object.values(tokens)) {
    if (count === null) continue
    if (!Number.isInteger(count)) problems.add('token_count_not_whole')
    if (count < 0) problems.add('token_count_negative')
    if (count > MAX_TOKENS_PER_CALL) problems.add('token_count_absurd')
  }
  const cached = (tokens.cacheRead ?? 0) + (tokens.cacheWrite ?? 0) + (tokens.cacheWrite1h ?? 0)
  if (tokens.input !== null && cached > tokens.input) problems.add('cache_exceeds_input')
  if (tokens.output !== null && (tokens.reasoning ?? 0) > tokens.output) {
    problems.add('reasoning_exceeds_output')
  }
  return [...problems]
}

/** What all parts of an answer come to. */
export function sumOfTokens(parts: readonly { readonly tokens: TokenCounts }[]): TokenCounts {
  return parts.reduce((sum, { tokens }) => addTokens(sum, tokens), UNKNOWN_TOKENS)
}

/** Adds two counts field by field; unknown + known is known, unknown + unknown stays unknown. */
export function addTokens(a: TokenCounts, b: TokenCounts): TokenCounts {
  const add = (x: number | null, y: number | null) =>
    x === null && y === null ? null : (x ?? 0) + (y ?? 0)
  return {
    input: add(a.input, b.input),
    cacheRead: add(a.cacheRead, b.cacheRead),
    cacheWrite: add(a.cacheWrite, b.cacheWrite),
    cacheWrite1h: add(a.cacheWrite1h, b.cacheWrite1h),
    output: add(a.output, b.output),
    reasoning: add(a.reasoning, b.reasoning),
  }
}
