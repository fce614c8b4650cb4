import { TokenfuseError } from '../errors.ts'
import { picoUsdFromUsd, usdFromPicoUsd } from '../money.ts'
import { type Dimension, isDimension } from '../scope.ts'
import { rollingMs } from './rolling.ts'
import { CALENDAR_WINDOWS, type PolicyInput } from './schema.ts'

type BudgetInput = NonNullable<PolicyInput['budgets']>[number]

/** What a short form says of a budget. */
export type ShortBudget = Pick<BudgetInput, 'limit' | 'window' | 'per'>

/** An amount in the unit in which it was written. */
export type ShortAmount =
  | { readonly usd: string }
  | { readonly tokens: number }
  | { readonly calls: number }
  | { readonly steps: number }

const MULTIPLIERS: Readonly<Record<string, bigint>> = {
  '': 1n,
  k: 1_000n,
  m: 1_000_000n,
  g: 1_000_000_000n,
}

/**
 * Reads an amount such as `5usd`, `$0.50`, `200ktok`, `2.5mtok`, `100calls` or `20steps`.
 * @throws TokenfuseError `bad_request`
 */
export function parseAmount(text: string): ShortAmount {
  const counted = /^(\d+(?:\.\d+)?)([kmg]?)\s?(tok|call|step)(?:ens?|s)?$/i.exec(text.trim())
  if (counted) {
    const [, amount = '', multiplier = '', unit = ''] = counted
    const scaled = picoUsdFromUsd(amount) * (MULTIPLIERS[multiplier.toLowerCase()] ?? 1n)
    const whole = Number(usdFromPicoUsd(scaled))
    if (Number.isSafeInteger(whole) && whole > 0) return countOf(unit.toLowerCase(), whole)
  }
  const usd = /^(?:\$(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s?usd)$/i.exec(text.trim())
  if (usd) return { usd: usd[1] ?? usd[2] ?? '' }
  throw new TokenfuseError('bad_request', `"${text}" is no amount`, {
    fix: 'Write USD, tokens, calls or steps, such as 5usd, $0.50, 200ktok, 100calls or 20steps.',
  })
}

function countOf(unit: string, count: number): ShortAmount {
  if (unit === 'call') return { calls: count }
  return unit === 'step' ? { steps: count } : { tokens: count }
}

/**
 * Reads a budget such as `5usd`, `200ktok/day`, `1usd/task`, `100calls/hour` or `10usd/user/month`: an amount, then dimensions that
 * get a counter each and at most one window (`24h` is one that ends now); without a window it holds for good.
 * @throws TokenfuseError `bad_request`
 */
export function parseShortBudget(text: string): ShortBudget {
  const [amount = '', ...parts] = text.split('/')
  const limit = parseAmount(amount)
  const per: Dimension[] = []
  let window: BudgetInput['window'] = 'lifetime'
  for (const part of parts.map((name) => name.trim())) {
    const calendar = CALENDAR_WINDOWS.find((name) => name === part)
    if (calendar && window === 'lifetime') window = calendar
    else if (rollingMs(`rolling ${part}`) !== null && window === 'lifetime') {
      window = `rolling ${part}`
    } else if (isDimension(part)) per.push(part)
    else {
      throw new TokenfuseError(
        'bad_request',
        `"${part}" in "${text}" is no window and no dimension`,
        {
          fix: `After the amount write one of ${CALENDAR_WINDOWS.join(', ')}, a time such as 24h for a rolling window, or dimensions such as task or user.`,
        },
      )
    }
  }
  return { limit, window, per }
}
