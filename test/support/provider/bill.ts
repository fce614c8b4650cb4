import { type Model, type TokenPrices, WEB_SEARCH_PICO_USD } from './models.ts'

/** `input` is everything read, cached or not; `output` everything written, reasoning included. */
export type BilledTokens = {
  readonly input: number
  readonly cached: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
  readonly output: number
  readonly reasoning: number
}

export const NO_TOKENS: BilledTokens = {
  input: 0,
  cached: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  output: 0,
  reasoning: 0,
}

/** What is billed beside the answer itself, at another model's price or for a summary of the context. */
export type Extra = {
  readonly kind: 'advisor' | 'compaction'
  readonly model: string
  readonly input: number
  readonly output: number
}

/** What an answer adds to its bill on the way. */
export type Added = {
  readonly input?: number
  readonly webSearches?: number
  readonly extra?: Extra
}

/** One call's bill while it grows: the input at once, the rest as it is generated. */
export class Bill {
  readonly #model: Model
  readonly #prices: TokenPrices
  readonly #models: readonly Model[]
  readonly #extras: Extra[] = []
  #tokens: BilledTokens
  #webSearches = 0

  /** @param start what is billed as soon as the answer begins */
  constructor(
    model: Model,
    serviceTier: string | null,
    models: readonly Model[],
    start: BilledTokens,
  ) {
    this.#model = model
    this.#prices = (serviceTier !== null && model.tiers[serviceTier]) || model.prices
    this.#models = models
    this.#tokens = start
  }

  get modelId(): string {
    return this.#model.id
  }

  get tokens(): BilledTokens {
    return this.#tokens
  }

  get extras(): readonly Extra[] {
    return this.#extras
  }

  get webSearches(): number {
    return this.#webSearches
  }

  add({ input = 0, webSearches = 0, extra }: Added): void {
    this.#tokens = { ...this.#tokens, input: this.#tokens.input + input }
    this.#webSearches += webSearches
    if (extra) this.#extras.push(extra)
  }

  /** @param reasoning of the whole answer; it is generated first */
  close(output: number, reasoning: number): void {
    this.#tokens = { ...this.#tokens, output, reasoning: Math.min(reasoning, output) }
  }

  /** pico-USD */
  cost(): bigint {
    const { input, cached, cacheWrite5m, cacheWrite1h, output } = this.#tokens
    const uncached = input - cached - cacheWrite5m - cacheWrite1h
    if (uncached < 0 || this.#tokens.reasoning > output) {
      throw new Error(`the stand-in's own bill does not add up: ${JSON.stringify(this.#tokens)}`)
    }
    let cost =
      BigInt(uncached) * this.#prices.input +
      BigInt(cached) * this.#prices.cacheRead +
      BigInt(cacheWrite5m) * this.#prices.cacheWrite5m +
      BigInt(cacheWrite1h) * this.#prices.cacheWrite1h +
      BigInt(output) * this.#prices.output +
      BigInt(this.#webSearches) * WEB_SEARCH_PICO_USD
    for (const extra of this.#extras) {
      const prices = this.#pricesOf(extra.model)
      cost += BigInt(extra.input) * prices.input + BigInt(extra.output) * prices.output
    }
    return cost
  }

  #pricesOf(modelId: string): TokenPrices {
    const model = this.#models.findLast((candidate) => candidate.id === modelId)
    if (!model) throw new Error(`no price for ${modelId}`)
    return model.prices
  }
}
