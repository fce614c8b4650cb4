/**
 * A whole amount of tokens or pico-USD, always exact: a number while a number is, a bigint beyond. Each amount has one
 * form, so `===`, `<` and `>` hold between any two; add and subtract with `plus` and `minus`. Most amounts are numbers,
 * and those cost a tenth of what bigints do.
 */
export type Amount = number | bigint

/** Decimal texts up to this length are exact as numbers. */
const SAFE_DIGITS = 15

/** Reads a whole decimal. @throws {SyntaxError} where the text is none */
export function amountFrom(text: string): Amount {
  let value = 0
  for (let index = 0; index < text.length; index++) {
    const digit = text.charCodeAt(index) - 48
    if (digit < 0 || digit > 9 || index === SAFE_DIGITS) return amountOf(BigInt(text))
    value = value * 10 + digit
  }
  return value
}

export function amountOf(value: bigint): Amount {
  const near = Number(value)
  return Number.isSafeInteger(near) ? near : value
}

export function plus(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return amountOf(BigInt(a) + BigInt(b))
}

export function minus(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' && typeof b === 'number') {
    const difference = a - b
    if (Number.isSafeInteger(difference)) return difference
  }
  return amountOf(BigInt(a) - BigInt(b))
}

/** An equal share of an amount that is not negative, rounded down. */
export function shareOf(amount: Amount, parts: number): Amount {
  if (typeof amount === 'number') return (amount - (amount % parts)) / parts
  return amountOf(amount / BigInt(parts))
}

export const positive = (amount: Amount): Amount => (amount > 0 ? amount : 0)
export const min = (a: Amount, b: Amount): Amount => (a < b ? a : b)
export const max = (a: Amount, b: Amount): Amount => (a > b ? a : b)
