import type { Priced } from '../usage-event.ts'
import type { PicoUsd } from '../money.ts'

/**
 * A price for each unit. Some models are dearer above a context length: `tiers` in rising order, and the last
 * whose `above` is less than the part's whole input holds for every unit of that part.
 */
export type UnitPrice = {
  readonly base: PicoUsd
  readonly tiers: readonly { readonly above: number; readonly price: PicoUsd }[]
}

export const TOKEN_PRICE_KINDS = [
  'input',
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'output',
] as const
export type TokenPriceKind = (typeof TOKEN_PRICE_KINDS)[number]

/** What one model costs, in pico-USD for each token; `webSearch` for each request. */
export type Rate = Readonly<Record<TokenPriceKind | 'webSearch', UnitPrice>> & {
  readonly model: string
  readonly priced: Priced
}

export function unitPriceAt(price: UnitPrice, inputTokens: number): PicoUsd {
  let result = price.base
  for (const tier of price.tiers) if (inputTokens > tier.above) result = tier.price
  return result
}

/** The dearest that a token of this kind can cost, whatever the input's length. */
export function highestUnitPrice(price: UnitPrice): PicoUsd {
  return price.tiers.reduce(
    (highest, tier) => (tier.price > highest ? tier.price : highest),
    price.base,
  )
}

/** A rate as JSON: money as decimal strings. */
export type WireRate = Readonly<
  Record<TokenPriceKind | 'webSearch', { base: string; tiers: { above: number; price: string }[] }>
> & { readonly model: string; readonly priced: Priced }

const KINDS = [...TOKEN_PRICE_KINDS, 'webSearch'] as const

export function rateToWire(rate: Rate): WireRate {
  const prices = KINDS.map((kind) => {
    const { base, tiers } = rate[kind]
    const wireTiers = tiers.map(({ above, price }) => ({ above, price: price.toString() }))
    return [kind, { base: base.toString(), tiers: wireTiers }] as const
  })
  return { model: rate.model, priced: rate.priced, ...Object.fromEntries(prices) } as WireRate
}

export function rateFromWire(wire: WireRate): Rate {
  const prices = KINDS.map((kind) => {
    const { base, tiers } = wire[kind]
    const readTiers = tiers.map(({ above, price }) => ({ above, price: BigInt(price) }))
    return [kind, { base: BigInt(base), tiers: readTiers }] as const
  })
  return { model: wire.model, priced: wire.priced, ...Object.fromEntries(prices) } as Rate
}
