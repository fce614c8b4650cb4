import { z } from 'zod'
import { BUDGET_UNITS } from './decision.ts'
import { MAX_CALLERS } from './scope.ts'
import { CRITICALITIES, USAGE_PART_KINDS, USAGE_SOURCES } from './usage-part.ts'

const count = z.int().nonnegative().nullable()
const name = z.string().min(1)
const picoUsd = z
  .string()
  .regex(/^\d+$/)
  .describe('pico-USD (1e-12 USD), whole, as a decimal string')

export const CHARGE_KINDS = [
  'input',
  'cache_read',
  'cache_write',
  'cache_write_1h',
  'output',
  'web_search',
] as const
export type ChargeKind = (typeof CHARGE_KINDS)[number]

export const PRICED = ['exact', 'fallback', 'ceiling'] as const
/** How good a price is: listed, that of the same family, or the dearest known because nothing fits. */
export type Priced = (typeof PRICED)[number]

export const chargeSchema = z
  .object({
    kind: z.enum(CHARGE_KINDS),
    part: z.enum(USAGE_PART_KINDS).default('message'),
    model: name,
    quantity: z.int().nonnegative(),
    unit: z.enum(['token', 'request']),
    picoUsd,
  })
  .meta({ id: 'Charge' })
export type Charge = z.output<typeof chargeSchema>

export const tokenCountsSchema = z.object({
  input: count.describe(
    'everything the model read: uncached + cacheRead + cacheWrite + cacheWrite1h',
  ),
  cacheRead: count,
  cacheWrite: count,
  cacheWrite1h: count,
  output: count.describe('everything the model generated, reasoning included'),
  reasoning: count,
})

const amount = z.string().regex(/^-?\d{1,30}$/)

/** Why a guard refused a call by itself, as the accounts at hand stood. */
export const ownRefusalSchema = z.object({
  reason: z.string(),
  budget: z.string().nullable(),
  scope: z.string().nullable(),
  unit: z.enum(BUDGET_UNITS).nullable(),
  limit: amount.nullable(),
  spent: amount.nullable().describe('of the whole scope, as the governor told it last'),
  needed: amount.nullable().describe('the least with which the call could have run'),
})
export type OwnRefusal = z.output<typeof ownRefusalSchema>

export const verdictSchema = z.object({
  action: name,
  reserve: count,
  cap: count,
  decision: z.string().nullable().describe('of the governor, or of the guard where it refuses'),
  basis: z
    .enum(['last_known', 'nothing'])
    .optional()
    .describe('what the guard went by where it could not ask the governor; absent where it could'),
  refusal: ownRefusalSchema
    .optional()
    .describe('only where the guard refused by itself, and not for a decision of the governor'),
})
export type Verdict = z.output<typeof verdictSchema>

/** The normalised record of one call; unknown counts are `null`, unknown names the literal `unknown`. */
export const usageEventSchema = z
  .object({
    type: z.literal('usage'),
    v: z.literal(1),
    tenant: name,
    time: z.iso.datetime().describe('when the call was admitted'),
    durationMs: z.number().nonnegative(),
    traceId: z.string().regex(/^[0-9a-f]{32}$/),
    spanId: z.string().regex(/^[0-9a-f]{16}$/),
    parentSpanId: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .nullable(),
    guard: z.string().nullable(),
    responseId: z.string().nullable(),
    agent: name,
    task: name,
    taskType: name.nullable(),
    difficulty: name.nullable(),
    step: z.int().nullable(),
    stepName: name.nullable(),
    user: name,
    session: name,
    service: name,
    tags: z.record(z.string(), z.string()),
    criticality: z.enum(CRITICALITIES),
    callers: z
      .array(z.object({ agent: name, task: name }))
      .max(MAX_CALLERS)
      .readonly()
      .optional()
      .describe('for whom the agent works, outermost first; absent for nobody'),
    provider: name,
    operation: name,
    requestModel: name,
    originalModel: name.nullable(),
    responseModel: name.nullable(),
    serviceTier: name.nullable(),
    tokens: tokenCountsSchema,
    systemTokens: count
      .optional()
      .describe(
        'of tokens.input, those of the system prompt, as estimated; absent where nothing is known',
      ),
    charges: z.array(chargeSchema),
    costPicoUsd: picoUsd,
    priceVersion: name,
    priced: z.enum(PRICED),
    source: z.enum(USAGE_SOURCES),
    error: z.string().nullable(),
    toolCallKeys: z.array(z.string()),
    toolResultKeys: z.array(z.string()),
    verdict: verdictSchema.nullable(),
    savings: z.array(z.object({ strategy: name, inputTokens: count, outputTokens: count })),
  })
  .meta({ id: 'UsageEvent', title: 'tokenfuse usage event' })
export type UsageEvent = z.output<typeof usageEventSchema>

/** Tokens that count against a budget: all that were billed, whichever model of the call billed them. */
export function billedTokens(charges: readonly Charge[]): { input: number; output: number } {
  let input = 0
  let output = 0
  for (const charge of charges) {
    if (charge.unit !== 'token') continue
    if (charge.kind === 'output') output += charge.quantity
    else input += charge.quantity
  }
  return { input, output }
}
