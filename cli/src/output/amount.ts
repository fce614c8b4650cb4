import type { BudgetUnit } from '@tokenfuse/protocol'
import { formatUsd } from '@tokenfuse/protocol/names'

const UNIT_NAMES: Readonly<Record<Exclude<BudgetUnit, 'picoUsd'>, string>> = {
  tokens: 'tokens',
  inputTokens: 'input tokens',
  outputTokens: 'output tokens',
  calls: 'calls',
  steps: 'steps',
}

/** An amount in a budget's unit, as short as it can be told beside others: `$4.82`, `120,000`. */
export function formatAmount(amount: string, unit: BudgetUnit): string {
  if (unit === 'picoUsd') return formatUsd(BigInt(amount))
  return amount.replace(/\B(?=(\d{3})+$)/g, ',')
}

/** The same with its unit: `$4.82`, `120,000 tokens`. */
export function formatAmountUnit(amount: string, unit: BudgetUnit): string {
  const text = formatAmount(amount, unit)
  return unit === 'picoUsd' ? text : `${text} ${UNIT_NAMES[unit]}`
}
