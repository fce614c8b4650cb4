import type { Charge, ChargeKind, Priced } from '../usage-event.ts'
import type { PicoUsd } from '../money.ts'
import { uncachedInput } from '../tokens.ts'
import type { UsagePart } from '../usage-part.ts'
import { type Rate, type UnitPrice, unitPriceAt } from './rate.ts'

const WORST_FIRST: readonly Priced[] = ['ceiling', 'fallback', 'exact']

export type PricedCharges = {
  readonly charges: Charge[]
  readonly cost: PicoUsd
  /** That of the worst priced part. */
  readonly priced: Priced
}

/**
 * What a response costs: each part at its own model's rate, each kind of token at its own price. Unknown counts
 * cost nothing here; the caller says so by the event's `source`.
 * @param rateOf the rate for a part's model; never missing, since an unknown model has the ceiling.
 */
export function chargesFor(
  parts: readonly UsagePart[],
  responseModel: string,
  rateOf: (model: string) => Rate,
): PricedCharges {
  const charges: Charge[] = []
  let cost = 0n
  let worst: Priced = parts.length === 0 ? rateOf(responseModel).priced : 'exact'
  for (const { part, model, tokens, webSearches } of parts) {
    const rate = rateOf(model ?? responseModel)
    if (WORST_FIRST.indexOf(rate.priced) < WORST_FIRST.indexOf(worst)) worst = rate.priced
    const add = (kind: ChargeKind, price: UnitPrice, quantity: number | null) => {
      if (!quantity) return
      const picoUsd = unitPriceAt(price, tokens.input ?? 0) * BigInt(quantity)
      cost += picoUsd
      const unit = kind === 'web_search' ? 'request' : 'token'
      const charged = model ?? responseModel
      charges.push({ kind, part, model: charged, quantity, unit, picoUsd: picoUsd.toString() })
    }
    add('input', rate.input, uncachedInput(tokens))
    add('cache_read', rate.cacheRead, tokens.cacheRead)
    add('cache_write', rate.cacheWrite, tokens.cacheWrite)
    add('cache_write_1h', rate.cacheWrite1h, tokens.cacheWrite1h)
    add('output', rate.output, tokens.output)
    add('web_search', rate.webSearch, webSearches)
  }
  return { charges, cost, priced: worst }
}
