import { calcPrice, findProvider, type TieredPrices } from '@pydantic/genai-prices'
import { picoUsdFromUsd, picoUsdPerUnit } from '../money.ts'
import type { PriceOverride } from '../policy/schema.ts'
import { globMatches } from '../scope.ts'
import type { Priced } from '../usage-event.ts'
import { ceilingRate } from './ceiling.ts'
import { type Rate, type TokenPriceKind, type UnitPrice } from './rate.ts'

/** The package that the base prices come from, with its version: part of every event's `priceVersion`. */
export const PRICE_BASE = 'genai-prices@0.1.8'

const FREE: UnitPrice = Object.freeze({ base: 0n, tiers: [] })
/** Prices change at full and half hours. */
const PRICE_SLOT_MS = 1_800_000
const MAX_CACHED_RATES = 10_000

/** Finds what a model costs: overrides first, then the catalogue, then its family, then the ceiling. */
export class PriceCatalogue {
  readonly #overrides: readonly PriceOverride[]
  readonly #cache = new Map<string, Rate>()

  constructor(overrides: readonly PriceOverride[] = []) {
    this.#overrides = overrides
  }

  /**
   * The rate in force for a model at a time. Never fails: what nothing knows costs the ceiling.
   * @param provider the `gen_ai.provider.name`
   * @param timeMs when the call was admitted, milliseconds since 1970; prices are dated, a few by the hour
   */
  rate(provider: string, model: string, serviceTier: string | null, timeMs: number): Rate {
    const slot = Math.floor(timeMs / PRICE_SLOT_MS)
    const key = `${provider} ${model} ${serviceTier ?? ''} ${slot}`
    const known = this.#cache.get(key)
    if (known) return known
    const rate = this.#find(provider, model, serviceTier, new Date(slot * PRICE_SLOT_MS))
    if (this.#cache.size >= MAX_CACHED_RATES) this.#cache.clear()
    this.#cache.set(key, rate)
    return rate
  }

  #find(provider: string, model: string, serviceTier: string | null, at: Date): Rate {
    const override = this.#overrides.find(
      (candidate) =>
        globMatches(candidate.model, model) &&
        (candidate.provider === undefined || globMatches(candidate.provider, provider)) &&
        (candidate.serviceTier === undefined || candidate.serviceTier === serviceTier),
    )
    if (override) return overrideRate(override, model)
    // The catalogue lists standard rates only; a call of another tier is priced by its family's.
    const standard = serviceTier === null || STANDARD_TIERS.has(serviceTier)
    const exact = listed(provider, model, at, standard ? 'exact' : 'fallback')
    if (exact) return exact
    for (const family of familiesOf(model)) {
      const rate = listed(provider, family, at, 'fallback')
      if (rate) return { ...rate, model }
    }
    return { ...ceilingRate(), model }
  }
}

const STANDARD_TIERS: ReadonlySet<string> = new Set(['default', 'standard', 'auto'])

/** Provider names of the GenAI conventions that the catalogue knows by another. */
const CATALOGUE_PROVIDERS: ReadonlyMap<string, string> = new Map([
  ['azure.ai.openai', 'azure'],
  ['azure.ai.inference', 'azure'],
  ['aws.bedrock', 'aws'],
  ['gcp.gemini', 'google'],
  ['gcp.vertex_ai', 'google'],
  ['gcp.gen_ai', 'google'],
  ['mistral_ai', 'mistral'],
  ['x_ai', 'x-ai'],
])

function listed(provider: string, model: string, at: Date, priced: Priced): Rate | null {
  const providerId = CATALOGUE_PROVIDERS.get(provider) ?? provider
  const known = findProvider({ providerId })
  const found = calcPrice(
    { input_tokens: 1 },
    model,
    known ? { provider: known, timestamp: at } : { timestamp: at },
  )
  if (!found) return null
  const prices = found.model_price
  const input = unitPrice(prices['input_mtok'], 1_000_000n)
  const output = unitPrice(prices['output_mtok'], 1_000_000n)
  // A row without these two is no price list of a chat model, and a missing price is not a price of zero.
  if (!input || (!output && !/embed/.test(found.model.id))) return null
  const write = unitPrice(prices['cache_write_mtok'], 1_000_000n) ?? input
  return {
    model,
    priced: known ? priced : 'fallback',
    input,
    cacheRead: unitPrice(prices['cache_read_mtok'], 1_000_000n) ?? input,
    cacheWrite: write,
    cacheWrite1h: unitPrice(prices['cache_write_1h_mtok'], 1_000_000n) ?? write,
    output: output ?? FREE,
    webSearch: unitPrice(prices['web_searches_kcount'], 1_000n) ?? ceilingRate().webSearch,
  }
}

/** The model's whole context in tokens, a bound of its output; `null` where it is not known. */
export function contextTokens(provider: string, model: string): number | null {
  const known = findProvider({ providerId: CATALOGUE_PROVIDERS.get(provider) ?? provider })
  const found = calcPrice({ input_tokens: 1 }, model, known ? { provider: known } : {})
  return found?.model.context_window ?? null
}

function unitPrice(price: number | TieredPrices | undefined, per: bigint): UnitPrice | null {
  if (price === undefined) return null
  const each = (usd: number) => picoUsdPerUnit(usd, per)
  if (typeof price === 'number') return { base: each(price), tiers: [] }
  return {
    base: each(price.base),
    tiers: price.tiers.map((tier) => ({ above: tier.start, price: each(tier.price) })),
  }
}

/** Shorter and shorter names that may be listed where the whole is not: `gpt-4o-2031-01-01` -> `gpt-4o`. */
function* familiesOf(model: string): Generator<string> {
  const bare = model.slice(model.lastIndexOf('/') + 1)
  if (bare !== model) yield bare
  let name = bare
  while (name.includes('-')) {
    name = name.slice(0, name.lastIndexOf('-'))
    if (!/\d/.test(name)) return
    yield name
  }
}

function overrideRate(override: PriceOverride, model: string): Rate {
  const perToken = (usdPerMillion: string | undefined): UnitPrice | null =>
    usdPerMillion === undefined
      ? null
      : { base: picoUsdPerUnit(usdPerMillion, 1_000_000n), tiers: [] }
  const input = perToken(override.inputUsdPerMillion) ?? FREE
  const write = perToken(override.cacheWriteUsdPerMillion) ?? input
  const kinds: Record<TokenPriceKind, UnitPrice> = {
    input,
    cacheRead: perToken(override.cacheReadUsdPerMillion) ?? input,
    cacheWrite: write,
    cacheWrite1h: perToken(override.cacheWrite1hUsdPerMillion) ?? write,
    output: perToken(override.outputUsdPerMillion) ?? FREE,
  }
  const webSearch =
    override.webSearchUsd === undefined
      ? ceilingRate().webSearch
      : { base: picoUsdFromUsd(override.webSearchUsd), tiers: [] }
  return { model, priced: 'exact', ...kinds, webSearch }
}
