import { MODELS } from '../../support/provider/models.ts'
import type { LedgerEntry } from '../../support/provider/client.ts'

/** What a budget is kept in; amounts are whole numbers of it. */
export type Unit = 'tokens' | 'picoUsd'

export function billedAmount({ tokens, costPicoUsd }: LedgerEntry, unit: Unit): bigint {
  return unit === 'tokens' ? BigInt(tokens.input + tokens.output) : BigInt(costPicoUsd)
}

/** What the call would have been billed had nobody cut its answer short. */
export function wantedAmount(entry: LedgerEntry, unit: Unit): bigint {
  const more = BigInt(Math.max(0, entry.wantedOutput - entry.tokens.output))
  if (unit === 'tokens') return billedAmount(entry, unit) + more
  const model = MODELS.find(({ id }) => id === entry.model)
  if (!model) throw new Error(`the stand-in has no model ${entry.model}`)
  return billedAmount(entry, unit) + more * model.prices.output
}

export function formatAmount(amount: bigint, unit: Unit): string {
  return unit === 'tokens'
    ? Number(amount).toLocaleString('en')
    : `${(Number(amount) / 1e12).toFixed(4)} USD`
}
