import { z } from 'zod'
import { amountSchema, BUDGET_UNITS } from './decision.ts'
import { CRITICALITIES } from './usage-part.ts'

const nonNegativeAmount = z.string().regex(/^\d{1,30}$/)
const guardId = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/)

/** Names a counter: one budget, one scope, one window. */
export const counterNameSchema = z.object({
  budget: z.string().min(1).max(64),
  scope: z.string().min(1).max(1024),
})

const accountReportSchema = counterNameSchema.extend({
  windowFromMs: z
    .number()
    .nullable()
    .describe(
      'start of the window that the credit is for; null where the guard asks for the first time',
    ),
  since: z
    .int()
    .nonnegative()
    .nullable()
    .default(null)
    .describe(
      'as the account was told; a report of a budget that counts another thing by now is void',
    ),
  used: nonNegativeAmount.describe(
    'final cost of all calls finished on this account, since it was opened',
  ),
  reserved: nonNegativeAmount.describe('exposure of the calls in flight now'),
  returned: nonNegativeAmount.describe('credit given back since the account was opened'),
  need: nonNegativeAmount.describe(
    'idle credit with which the next waiting call could run; 0 where none waits',
  ),
  want: nonNegativeAmount.describe('idle credit wanted in all, at least `need`'),
  criticality: z
    .enum(CRITICALITIES)
    .default('normal')
    .describe('of the calls that need or want it; where several differ, of those that matter most'),
})
export type AccountReport = z.output<typeof accountReportSchema>

/**
 * What a guard tells the governor of its credit. All amounts but `reserved`, `need` and `want` are sums since the account
 * was opened, and the highest `sequence` holds, so a report that is lost, repeated or late does no harm.
 */
export const creditReportSchema = z
  .object({
    type: z.literal('credit.report'),
    v: z.literal(1),
    tenant: z.string().min(1).max(128),
    guard: guardId,
    sequence: z.int().nonnegative(),
    closing: z
      .boolean()
      .describe(
        'the guard ends and has told all its calls; what they did not use can be lent to others',
      ),
    accounts: z.array(accountReportSchema).max(1000),
  })
  .meta({ id: 'CreditReport' })
export type CreditReport = z.output<typeof creditReportSchema>

/** A kind of call whose output length the governor has learned. */
export const callProfileSchema = z.object({
  agent: z.string().min(1).max(256),
  step: z.string().min(1).max(256),
  provider: z.string().min(1).max(128),
  model: z.string().min(1).max(256),
})
export type CallProfile = z.output<typeof callProfileSchema>

export const creditRequestSchema = z.object({
  report: creditReportSchema,
  profiles: z
    .array(callProfileSchema)
    .max(1000)
    .describe('kinds of calls whose prices and output lengths are asked for'),
})
export type CreditRequest = z.output<typeof creditRequestSchema>

export const ACCOUNT_STATES = ['open', 'waiting', 'exhausted', 'inactive'] as const

/** Where an account stands, as the governor tells its guard; of two, the one with the higher offset holds. */
export const accountSchema = counterNameSchema.extend({
  windowFromMs: z.number(),
  windowUntilMs: z.number().nullable().describe('null for a lifetime'),
  since: z
    .int()
    .nonnegative()
    .describe('version of the policy since which the budget counts what it does'),
  unit: z.enum(BUDGET_UNITS),
  limit: amountSchema,
  spent: amountSchema,
  lent: nonNegativeAmount.describe('all credit ever lent on this account'),
  fairShare: nonNegativeAmount.describe(
    'what this guard may have in flight while others want credit too',
  ),
  ceilings: z
    .object({ normal: amountSchema, bestEffort: amountSchema })
    .optional()
    .describe(
      'what may be spent in all before calls of that criticality get no more; absent where nothing is kept for others',
    ),
  state: z
    .enum(ACCOUNT_STATES)
    .describe(
      'waiting: more may come, from calls in flight or recalled credit; exhausted: none will in this window',
    ),
})
export type Account = z.output<typeof accountSchema>

export type OutputQuantiles = CallProfile & {
  /** Output tokens; `null` where too few calls were seen. */
  readonly p95: number | null
  readonly p99: number | null
  readonly count: number
}
