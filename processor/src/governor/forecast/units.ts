import type { BudgetUnit } from '@tokenfuse/protocol'
import type { Amount } from '../amount.ts'

/** Forecasts count money in nano-USD: of those a month's spend of millions is a safe integer. */
const PICO_PER_NANO = 1000

/** A whole amount in forecast units: nano-USD where the budget counts money, else what it counts. */
export function forecastUnits(unit: BudgetUnit, amount: Amount): number {
  const value = Number(amount)
  return unit === 'picoUsd' ? Math.round(value / PICO_PER_NANO) : value
}

/** The reverse, as the decimal text of a whole amount in the budget's unit. */
export function budgetUnits(unit: BudgetUnit, units: number): string {
  const whole = BigInt(Math.round(units))
  return String(unit === 'picoUsd' ? whole * BigInt(PICO_PER_NANO) : whole)
}
