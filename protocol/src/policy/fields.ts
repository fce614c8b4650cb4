import { z } from 'zod'
import { picoUsdFromUsd, usdFromPicoUsd } from '../money.ts'

// Fields that the parts of a policy share.

const USD_FORM = 'write a plain decimal amount of USD, such as 2.50'

/** A decimal amount of USD, as a text or a number; kept as a plain decimal so that it stays exact. */
export const usd = z
  .union([z.string(), z.number()], { error: USD_FORM })
  .transform((value, context) => {
    try {
      const amount = picoUsdFromUsd(value)
      if (amount >= 0n) return usdFromPicoUsd(amount)
      context.addIssue({ code: 'custom', message: 'an amount of USD cannot be negative' })
    } catch {
      context.addIssue({ code: 'custom', message: USD_FORM })
    }
    return z.NEVER
  })

export const count = z
  .int('write a whole number, such as 500000')
  .positive('write a whole number of more than 0')

export const mode = z.enum(['hard', 'soft', 'shadow']).default('hard')

export const warnAt = z
  .number()
  .gt(0)
  .lte(1)
  .default(0.8)
  .describe('share of the limit at which to warn')

/** A glob, or several of which one must fit. */
export const globs = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)], {
  error: 'write a glob such as support-*, or a list of globs',
})
