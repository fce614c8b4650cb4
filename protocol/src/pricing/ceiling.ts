import { picoUsdFromUsd } from '../money.ts'
import type { Rate, UnitPrice } from './rate.ts'

const perMillionTokens = (usd: string): UnitPrice => ({
  base: picoUsdFromUsd(usd) / 1_000_000n,
  tiers: [],
})

/**
 * What a model costs that nothing knows: at least as dear as any chat model that was ever listed (o1-pro: 150
 * and 600 USD per million), so that an unknown name can never make a budget void.
 */
const CEILING: Rate = Object.freeze({
  model: 'ceiling',
  priced: 'ceiling',
  input: perMillionTokens('150'),
  cacheRead: perMillionTokens('150'),
  cacheWrite: perMillionTokens('300'),
  cacheWrite1h: perMillionTokens('300'),
  output: perMillionTokens('600'),
  webSearch: { base: picoUsdFromUsd('0.05'), tiers: [] },
})

export function ceilingRate(): Rate {
  return CEILING
}
