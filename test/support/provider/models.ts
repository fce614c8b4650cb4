// The stand-in's own price list, written from the providers' public pages. It shares nothing with the price
// catalogue that is held against it.

/** pico-USD (1e-12 USD) for each token. */
export type TokenPrices = {
  readonly input: bigint
  readonly cacheRead: bigint
  readonly cacheWrite5m: bigint
  readonly cacheWrite1h: bigint
  readonly output: bigint
}

export type Family = 'openai' | 'anthropic'

export type Model = {
  /** As named in responses. */
  readonly id: string
  readonly aliases: readonly string[]
  readonly family: Family
  readonly embeddings: boolean
  /** Thinks before it answers: always for OpenAI, when asked for Anthropic. */
  readonly reasoning: boolean
  readonly maxOutputTokens: number
  readonly contextTokens: number
  /** Shorter prefixes are not cached. */
  readonly minCacheTokens: number
  readonly prices: TokenPrices
  /** Service tiers other than the default. */
  readonly tiers: Readonly<Record<string, TokenPrices>>
}

/** USD per million tokens, as price lists state it. Cache prices default to the input price. */
export type ListedPrice = {
  readonly input: number
  readonly output: number
  readonly cacheRead?: number
  readonly cacheWrite5m?: number
  readonly cacheWrite1h?: number
}

/** USD 0.01 a search: 10 USD per thousand. */
export const WEB_SEARCH_PICO_USD = 10_000_000_000n

export function tokenPrices(listed: ListedPrice): TokenPrices {
  const write = listed.cacheWrite5m ?? listed.input
  return {
    input: perToken(listed.input),
    cacheRead: perToken(listed.cacheRead ?? listed.input),
    cacheWrite5m: perToken(write),
    cacheWrite1h: perToken(listed.cacheWrite1h ?? write),
    output: perToken(listed.output),
  }
}

function perToken(usdPerMillion: number): bigint {
  return BigInt(Math.round(usdPerMillion * 1_000_000))
}

function openai(id: string, alias: string, row: Partial<Model>, listed: ListedPrice): Model {
  return {
    id,
    aliases: [alias],
    family: 'openai',
    embeddings: false,
    reasoning: false,
    maxOutputTokens: 16_384,
    contextTokens: 128_000,
    minCacheTokens: 1024,
    prices: tokenPrices(listed),
    tiers: {},
    ...row,
  }
}

function anthropic(id: string, alias: string, row: Partial<Model>, listed: ListedPrice): Model {
  return {
    ...openai(id, alias, row, {
      cacheRead: listed.input / 10,
      cacheWrite5m: listed.input * 1.25,
      cacheWrite1h: listed.input * 2,
      ...listed,
    }),
    family: 'anthropic',
    contextTokens: 200_000,
  }
}

export const MODELS: readonly Model[] = [
  openai('gpt-4o-2024-08-06', 'gpt-4o', {}, { input: 2.5, cacheRead: 1.25, output: 10 }),
  openai(
    'gpt-4o-mini-2024-07-18',
    'gpt-4o-mini',
    { tiers: { priority: tokenPrices({ input: 0.25, cacheRead: 0.125, output: 1 }) } },
    { input: 0.15, cacheRead: 0.075, output: 0.6 },
  ),
  openai(
    'gpt-3.5-turbo-0125',
    'gpt-3.5-turbo',
    { maxOutputTokens: 4096, contextTokens: 16_385 },
    { input: 0.5, output: 1.5 },
  ),
  openai(
    'gpt-4.1-2025-04-14',
    'gpt-4.1',
    { maxOutputTokens: 32_768, contextTokens: 1_047_576 },
    { input: 2, cacheRead: 0.5, output: 8 },
  ),
  openai(
    'gpt-4.1-mini-2025-04-14',
    'gpt-4.1-mini',
    { maxOutputTokens: 32_768, contextTokens: 1_047_576 },
    { input: 0.4, cacheRead: 0.1, output: 1.6 },
  ),
  openai(
    'o4-mini-2025-04-16',
    'o4-mini',
    { reasoning: true, maxOutputTokens: 100_000, contextTokens: 200_000 },
    { input: 1.1, cacheRead: 0.275, output: 4.4 },
  ),
  openai(
    'gpt-5-mini-2025-08-07',
    'gpt-5-mini',
    {
      reasoning: true,
      maxOutputTokens: 128_000,
      contextTokens: 400_000,
      tiers: { flex: tokenPrices({ input: 0.125, cacheRead: 0.0125, output: 1 }) },
    },
    { input: 0.25, cacheRead: 0.025, output: 2 },
  ),
  openai(
    'text-embedding-3-small',
    'text-embedding-3-small',
    { embeddings: true, maxOutputTokens: 0, contextTokens: 300_000 },
    { input: 0.02, output: 0 },
  ),
  anthropic(
    'claude-3-5-sonnet-20241022',
    'claude-3-5-sonnet-latest',
    { maxOutputTokens: 8192 },
    { input: 3, output: 15 },
  ),
  anthropic(
    'claude-3-haiku-20240307',
    'claude-3-haiku',
    { maxOutputTokens: 4096, minCacheTokens: 2048 },
    { input: 0.25, output: 1.25, cacheRead: 0.03, cacheWrite5m: 0.3 },
  ),
  anthropic(
    'claude-haiku-4-5-20251001',
    'claude-haiku-4-5',
    { reasoning: true, maxOutputTokens: 64_000, minCacheTokens: 4096 },
    { input: 1, output: 5 },
  ),
  anthropic(
    'claude-sonnet-4-6',
    'claude-sonnet-4-6',
    { reasoning: true, maxOutputTokens: 64_000 },
    { input: 3, output: 15 },
  ),
  anthropic(
    'claude-opus-4-7',
    'claude-opus-4-7',
    { reasoning: true, maxOutputTokens: 128_000, minCacheTokens: 4096 },
    { input: 5, output: 25 },
  ),
]
