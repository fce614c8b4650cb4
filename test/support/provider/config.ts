import { asArray, asObject, type JsonObject } from './json.ts'
import { type ListedPrice, type Model, MODELS, tokenPrices } from './models.ts'
import type { Lognormal } from './random.ts'

export type ProviderConfig = {
  /** Another seed, other answers to the same requests. */
  readonly seed: number
  /** Visible output of one choice, before limits. */
  readonly outputTokens: Lognormal
  readonly reasoningTokens: Lognormal
  /** Share of answers that call a tool where tools are offered and the choice is free. */
  readonly toolCallRate: number
  /** `accepted`: bodies and streams are gzipped for clients that accept it. */
  readonly gzip: 'never' | 'accepted'
  /** A host that answers 400 to `stream_options`, as several compatible ones do. */
  readonly rejectStreamOptions: boolean
  /** Tokens in each delta event of a stream. */
  readonly tokensPerEvent: number
  readonly latency: {
    readonly firstTokenMs: Lognormal
    /** null: as fast as the machine can. */
    readonly tokensPerSecond: number | null
  }
  /** Chance of each fault, by its short text: `{"429:0.05x1": 0.01}`. */
  readonly faultRates: Readonly<Record<string, number>>
  /** Models beside the built-in ones; the last of a name wins. */
  readonly models: readonly Model[]
}

export const DEFAULT_CONFIG: ProviderConfig = {
  seed: 1,
  outputTokens: { median: 120, sigma: 1 },
  reasoningTokens: { median: 200, sigma: 0.8 },
  toolCallRate: 0.5,
  gzip: 'never',
  rejectStreamOptions: false,
  tokensPerEvent: 4,
  latency: { firstTokenMs: { median: 0, sigma: 0.4 }, tokensPerSecond: null },
  faultRates: {},
  models: MODELS,
}

/** What a caller may give: any part of the config; `models` as rows with listed prices. */
export type ConfigPatch = {
  readonly [K in Exclude<keyof ProviderConfig, 'latency' | 'models'>]?: ProviderConfig[K]
} & {
  readonly latency?: Partial<ProviderConfig['latency']>
  readonly models?: readonly ExtraModel[]
}
export type ExtraModel = {
  readonly id: string
  readonly family: 'openai' | 'anthropic'
  readonly usdPerMillion: ListedPrice
  readonly reasoning?: boolean
  readonly maxOutputTokens?: number
  readonly contextTokens?: number
}

/** @throws {Error} on a name that is no setting */
export function mergeConfig(base: ProviderConfig, patch: JsonObject): ProviderConfig {
  const merged: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(patch)) {
    if (!(name in base)) throw new Error(`no such setting of the stand-in: ${name}`)
    if (name === 'latency') merged[name] = { ...base.latency, ...asObject(value) }
    else if (name === 'models') merged[name] = [...base.models, ...asArray(value).map(extraModel)]
    else merged[name] = value
  }
  return merged as ProviderConfig
}

function extraModel(value: unknown): Model {
  const row = value as ExtraModel
  return {
    aliases: [],
    embeddings: false,
    reasoning: false,
    maxOutputTokens: 16_384,
    contextTokens: 200_000,
    minCacheTokens: 1024,
    tiers: {},
    ...row,
    prices: tokenPrices(row.usdPerMillion),
  }
}
