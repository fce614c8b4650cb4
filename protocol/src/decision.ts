import { z } from 'zod'

/** What can be done about a call, mildest first. */
export const ACTIONS = [
  'allow',
  'warn',
  'cap_output',
  'compress',
  'downgrade',
  'throttle',
  'pause',
  'block',
  'kill',
] as const
export type Action = (typeof ACTIONS)[number]

/** An amount in a budget's unit: tokens, calls, steps, or pico-USD. Whole, as a decimal string, since it may pass 2^53. */
export const amountSchema = z
  .string()
  .regex(/^-?\d+$/)
  .describe('in the unit of the budget: tokens, calls, steps or pico-USD; a decimal string')

export const BUDGET_UNITS = [
  'tokens',
  'inputTokens',
  'outputTokens',
  'picoUsd',
  'calls',
  'steps',
] as const
/** What a budget's amounts count. */
export type BudgetUnit = (typeof BUDGET_UNITS)[number]

export const decisionSchema = z
  .object({
    id: z.string().min(1),
    version: z
      .int()
      .nonnegative()
      .describe('offset of the event that made it; a newer one of the same key replaces it'),
    tenant: z.string().min(1),
    scope: z.string().min(1).describe('such as agent=support,task=t-17; * is everything'),
    budget: z.string().nullable(),
    rule: z
      .string()
      .nullable()
      .default(null)
      .describe('what it comes from where that is no budget, such as runaway.bloat'),
    action: z.enum(ACTIONS),
    parameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
    reason: z.string(),
    inputs: z.object({
      unit: z.enum(BUDGET_UNITS).nullable(),
      spent: amountSchema.nullable(),
      limit: amountSchema.nullable(),
      outstanding: amountSchema.nullable(),
      forecast: amountSchema.nullable(),
      policyVersion: z.int().nonnegative(),
    }),
    from: z.iso.datetime(),
    until: z.iso.datetime().nullable(),
    mode: z.enum(['enforce', 'shadow']),
  })
  .meta({ id: 'Decision', title: 'tokenfuse decision' })
export type Decision = z.output<typeof decisionSchema>
