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
  const text = typeof usd === 'number' ? plainDecimal(usd) : usd.trim()
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text)
  if (!match) {
    throw new TokenfuseError('money_invalid', `"${usd}" is no amount of USD`, {
      fix: 'Write a plain decimal number, such as 2.50.',
    })
  }
  const [, sign, whole = '0', fraction = ''] = match
  if (/[1-9]/.test(fraction.slice(FRACTION_DIGITS))) {
    throw new TokenfuseError('money_invalid', `"${usd}" USD is finer than 1e-12 USD`, {
      fix: `Round it to ${FRACTION_DIGITS} digits after the point.`,
    })
  }
  const digits = whole + fraction.slice(0, FRACTION_DIGITS).padEnd(FRACTION_DIGITS, '0')
  return sign === '-' ? -BigInt(digits) : BigInt(digits)
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
