import { type Amount, amountOf, plus } from './amount.ts'

/**
 * Amounts in arrays of numbers, two places each: `high * CARRY + low` with 0 <= low < CARRY. Exact at any size, and
 * nothing is allocated to add a number to one.
 */
const CARRY = 4_503_599_627_370_496 // 2^52

/** Places that an amount takes. */
export const AMOUNT_WIDTH = 2

export function amountAt(numbers: Float64Array, at: number): Amount {
  const low = numbers[at] as number
  const high = numbers[at + 1] as number
  return high === 0 ? low : amountOf(BigInt(high) * BigInt(CARRY) + BigInt(low))
}

export function setAmountAt(numbers: Float64Array, at: number, amount: Amount): void {
  if (typeof amount === 'number' && amount >= 0 && amount < CARRY) {
    numbers[at] = amount
    numbers[at + 1] = 0
    return
  }
  const low = BigInt.asUintN(52, BigInt(amount))
  numbers[at] = Number(low)
  numbers[at + 1] = Number((BigInt(amount) - low) / BigInt(CARRY))
}

export function addAmountAt(numbers: Float64Array, at: number, amount: Amount): void {
  if (typeof amount === 'number' && amount >= 0) {
    const low = (numbers[at] as number) + amount
    if (low < CARRY) {
      numbers[at] = low
      return
    }
  }
  setAmountAt(numbers, at, plus(amountAt(numbers, at), amount))
}

/** Adds what stands at one place to what stands at another. */
export function addCells(
  numbers: Float64Array,
  at: number,
  added: Float64Array,
  addedAt: number,
): void {
  const low = (numbers[at] as number) + (added[addedAt] as number)
  const carry = low >= CARRY ? 1 : 0
  numbers[at] = low - carry * CARRY
  numbers[at + 1] = (numbers[at + 1] as number) + (added[addedAt + 1] as number) + carry
}

/** Whether one amount of an array is at least another. */
export function isAtLeast(numbers: Float64Array, at: number, otherAt: number): boolean {
  const [high, otherHigh] = [numbers[at + 1] as number, numbers[otherAt + 1] as number]
  if (high !== otherHigh) return high > otherHigh
  return (numbers[at] as number) >= (numbers[otherAt] as number)
}
