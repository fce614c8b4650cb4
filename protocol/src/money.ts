import { TokenfuseError } from './errors.ts'

/** An amount of money in pico-USD (1e-12 USD). Prices per million tokens are whole in it. */
export type PicoUsd = bigint

export const PICO_USD_PER_USD = 1_000_000_000_000n
const FRACTION_DIGITS = 12

/**
 * Reads a decimal amount of USD, such as `"0.0375"` or `2.5`, exactly.
 * @throws TokenfuseError `money_invalid` where the text is no plain decimal or is finer than 1e-12.
 */
export function picoUsdFromUsd(usd: string | number): PicoUsd {
  const { digits, scale } = decimal(usd)
  const numerator = digits * PICO_USD_PER_USD
  if (numerator % scale !== 0n) {
    throw new TokenfuseError('money_invalid', `"${usd}" USD is finer than 1e-12 USD`, {
      fix: `Round it to ${FRACTION_DIGITS} digits after the point.`,
    })
  }
  return numerator / scale
}

/**
 * What one unit costs where `units` of them cost so many USD. What is finer than a pico-USD is rounded up, so that
 * no price becomes zero by rounding.
 * @throws TokenfuseError `money_invalid` where the text is no plain decimal.
 */
export function picoUsdPerUnit(usd: string | number, units: bigint): PicoUsd {
  const { digits, scale } = decimal(usd)
  const numerator = digits * PICO_USD_PER_USD
  const denominator = scale * units
  return numerator > 0n ? (numerator + denominator - 1n) / denominator : numerator / denominator
}

/** The amount is `digits / scale`. */
function decimal(usd: string | number): { digits: bigint; scale: bigint } {
  const text = typeof usd === 'number' ? plainDecimal(usd) : usd.trim()
  const match = /^(-?\d{1,30})(?:\.(\d{1,40}))?$/.exec(text)
  if (!match) {
    throw new TokenfuseError('money_invalid', `"${usd}" is no amount of USD`, {
      fix: 'Write a plain decimal number, such as 2.50.',
    })
  }
  const [, whole = '0', fraction = ''] = match
  return { digits: BigInt(whole + fraction), scale: 10n ** BigInt(fraction.length) }
}

/** The shortest decimal that reads back as the same number, never in exponent form. */
function plainDecimal(value: number): string {
  const text = String(value)
  const match = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(text)
  if (!match) return text
  const [, sign = '', first = '', rest = '', exponent = '0'] = match
  return `${sign}0.${'0'.repeat(Number(exponent) - 1)}${first}${rest}`
}

/** An exact decimal of USD, such as `"4.82"`, without trailing zeros. */
export function usdFromPicoUsd(amount: PicoUsd): string {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(FRACTION_DIGITS + 1, '0')
  const whole = digits.slice(0, -FRACTION_DIGITS)
  const fraction = digits.slice(-FRACTION_DIGITS).replace(/0+$/, '')
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`
}

/** For people: `$4.82`, `$0.0031`, `<$0.0001`. Rounded half up; never used for arithmetic. */
export function formatUsd(amount: PicoUsd): string {
  if (amount < 0n) return `-${formatUsd(-amount)}`
  const digits = amount >= PICO_USD_PER_USD / 10n || amount === 0n ? 2 : 4
  const unit = 10n ** BigInt(FRACTION_DIGITS - digits)
  const rounded = (amount + unit / 2n) / unit
  if (rounded === 0n && amount > 0n) return '<$0.0001'
  const text = rounded.toString().padStart(digits + 1, '0')
  const whole = text.slice(0, -digits).replace(/\B(?=(\d{3})+$)/g, ',')
  return `$${whole}.${text.slice(-digits)}`
}
