import { z } from 'zod'
import { isDimension } from '../scope.ts'
import { MAX_ROLLING_MS, rollingMs } from './rolling.ts'
import { count, globs, mode, usd, warnAt } from './fields.ts'
import { isPresetBudget, presetBudgets, presetSchema } from './presets.ts'
import { isRunBudget } from './run-budget.ts'

const MILLISECONDS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A span of time; read as milliseconds, however it is written. */
type Duration = z.ZodType<number, string | number>

/** `30s`, `15m`, `24h` or `7d`. */
const DURATION_FORM = 'write a whole number and s, m, h or d, such as 15m'
const writtenDuration = z
  .string(DURATION_FORM)
  .regex(/^[1-9]\d{0,6}[smhd]$/, DURATION_FORM)
  .transform(
    (text) => Number(text.slice(0, -1)) * MILLISECONDS[text.at(-1) as 's' | 'm' | 'h' | 'd'],
  )

const milliseconds = z.int().positive()

const dimension = z.string().refine(isDimension, {
  error:
    'not a dimension: use agent, task, taskType, step, user, session, model, provider, service, tenant or tag.<name>',
})

const LIMIT_FORM = 'write it with its unit, such as { tokens: 500000 } or { usd: 2.50 }'

const limitSchema = z
  .strictObject(
    {
      tokens: count.optional().describe('input and output together'),
      inputTokens: count.optional(),
      outputTokens: count.optional(),
      usd: usd.optional(),
      calls: count.optional(),
      steps: count
        .optional()
        .describe(
          'steps of a task or session; a call that names no step, or neither task nor session, is one of its own',
        ),
    },
    // Where it is an object, the fields in it say what is wrong.
    { error: ({ code }) => (code === 'invalid_type' ? LIMIT_FORM : undefined) },
  )
  .refine((limit) => Object.values(limit).filter((value) => value !== undefined).length === 1, {
    error: 'a limit names exactly one of tokens, inputTokens, outputTokens, usd, calls and steps',
  })

export const MAX_BUDGETS = 1000

export const CALENDAR_WINDOWS = ['hour', 'day', 'week', 'month'] as const

const isCalendarWindow = (window: string) =>
  CALENDAR_WINDOWS.some((calendar) => calendar === window)

const windowSchema = z.union(
  [
    z.enum([...CALENDAR_WINDOWS, 'lifetime']),
    z.templateLiteral(['rolling ', z.string().regex(/^[1-9]\d{0,5}[mhd]$/)]),
  ],
  {
    error:
      'use hour, day, week, month, lifetime, or rolling and a time up to 400d, such as rolling 24h',
  },
)

const forecastOption = z.strictObject({
  action: z
    .enum(['warn', 'pause', 'block'])
    .default('warn')
    .describe('pause and block hold until the forecast falls again, or the window ends'),
  probability: z
    .number()
    .gt(0)
    .lte(1)
    .default(0.5)
    .describe(
      'from which on it is done; it ends when that has been below half of it for 1/24 of the window',
    ),
})
export type ForecastOption = z.output<typeof forecastOption>

/** How guards spend on it, and what becomes of credit that is out. */
const creditFields = (duration: Duration) => ({
  stale: z
    .enum(['degrade', 'refuse', 'allow'])
    .default('degrade')
    .describe('what a guard does that has not heard from the governor'),
  bestEffort: z
    .boolean()
    .default(false)
    .describe('a hard budget may allow when stale only if this is true'),
  grace: duration
    .default(600_000)
    .describe('how long a guard goes on at its last pace without a governor'),
  uncappable: z
    .enum(['run', 'refuse'])
    .default('run')
    .describe('calls whose output the provider cannot be told to limit'),
  maxWait: duration
    .default(60_000)
    .describe('how long a call may wait for credit before it is refused'),
  settleAfter: duration
    .default(900_000)
    .describe('after this, credit of a vanished guard is charged (hard) or released (soft)'),
})

const budgetWith = (duration: Duration) =>
  z
    .strictObject({
      id: z
        .string()
        .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'use small letters, digits, dots and dashes'),
      description: z.string().optional(),
      match: z
        .partialRecord(dimension, globs)
        .default({})
        .describe(
          'which calls it is for: for each dimension named a glob, or several of which one must fit; none that begins with ! may',
        ),
      per: z
        .array(dimension)
        .max(6)
        .default([])
        .describe('one counter for each value of these dimensions'),
      nested: z
        .boolean()
        .optional()
        .describe('calls count for the agents and tasks that they are made for, too'),
      limit: limitSchema.optional().describe('a budget without a limit is inactive'),
      window: windowSchema.describe(
        'calendar windows follow the time zone of the policy, weeks begin on Monday; a rolling one ends now',
      ),
      mode,
      warnAt,
      forecast: forecastOption
        .optional()
        .describe('what is done as soon as the window is forecast to pass the limit'),
      ...creditFields(duration),
    })
    .refine(
      (budget) => !(budget.mode === 'hard' && budget.stale === 'allow' && !budget.bestEffort),
      {
        error:
          'a hard budget cannot allow calls when stale; say bestEffort: true, or use degrade or refuse',
        path: ['stale'],
      },
    )
    .refine(({ window, forecast }) => !forecast || isCalendarWindow(window), {
      error: 'only hours, days, weeks and months are forecast: they end at a time that is known',
      path: ['forecast'],
    })
    .refine(({ window }) => (rollingMs(window) ?? 0) <= MAX_ROLLING_MS, {
      error: 'a rolling window is at most 400d long',
      path: ['window'],
    })
    .refine(({ window, limit }) => rollingMs(window) === null || limit?.steps === undefined, {
      error:
        'steps count once in a window that begins at some time, and a rolling one never does: limit calls, or use another window',
      path: ['window'],
    })

/** A budget as a person writes it. */
export const budgetSchema = budgetWith(writtenDuration)
export type Budget = z.output<typeof budgetSchema>

/** What a detection of some level does, mildest first. */
export const DETECTION_ACTIONS = ['none', 'warn', 'pause', 'block', 'kill'] as const
export type DetectionAction = (typeof DETECTION_ACTIONS)[number]

/** How far something goes, mildest first. */
export const DETECTION_LEVELS = ['notice', 'cheaper', 'pause', 'kill'] as const
export type DetectionLevel = (typeof DETECTION_LEVELS)[number]

const detectionAction = z.enum(DETECTION_ACTIONS).default('warn')
const detectionActions = z
  .strictObject({
    notice: detectionAction,
    cheaper: detectionAction,
    pause: detectionAction,
    kill: detectionAction,
  })
  .prefault({})

const detectSchema = z
  .strictObject({
    runaway: detectionActions.describe(
      'what is done about a task that runs away, by level; a level does no less than those below it',
    ),
    spike: detectionActions.describe(
      'what is done about a scope whose spend leaps, by level; a level does no less than those below it',
    ),
  })
  .prefault({})
  .describe('without it every level warns and nothing is refused')
export type Detect = z.output<typeof detectSchema>

const priceOverrideSchema = z.strictObject({
  model: z.string().min(1).describe('glob over model names'),
  provider: z.string().min(1).optional(),
  serviceTier: z.string().min(1).optional(),
  inputUsdPerMillion: usd,
  outputUsdPerMillion: usd,
  cacheReadUsdPerMillion: usd.optional(),
  cacheWriteUsdPerMillion: usd.optional(),
  cacheWrite1hUsdPerMillion: usd.optional(),
  webSearchUsd: usd.optional(),
})
export type PriceOverride = z.output<typeof priceOverrideSchema>

const notifySchema = z
  .strictObject({
    webhook: z
      .url({ protocol: /^https?$/, error: 'write an http or https address' })
      .describe(
        'takes a POST of JSON with a `text`, as Slack does; TOKENFUSE_WEBHOOK_URL comes before it',
      ),
  })
  .describe('where people are told; it is no part of the policy that the log keeps')

const policyFields = (duration: Duration, timezone: z.ZodString) => ({
  version: z.literal(1, { error: 'write "version: 1", the version of this format' }),
  timezone: timezone.default('UTC'),
  budgets: z.array(budgetWith(duration)).max(MAX_BUDGETS).default([]),
  detect: detectSchema,
  prices: z
    .array(priceOverrideSchema)
    .max(1000)
    .default([])
    .describe('first match wins, before the catalogue'),
})

type IdProblem = (id: string) => string | null

/** @param problemOf why an id is not for a budget here; `null` where it is */
function checkIds(
  budgets: readonly { readonly id: string }[],
  context: z.RefinementCtx,
  problemOf: IdProblem = () => null,
): void {
  const seen = new Set<string>()
  for (const [index, { id }] of budgets.entries()) {
    const again = seen.has(id) ? `a second budget is called "${id}"; ids are unique` : null
    const message = again ?? problemOf(id)
    seen.add(id)
    if (message === null) continue
    context.addIssue({ code: 'custom', path: ['budgets', index, 'id'], message })
  }
}

const notForFiles: IdProblem = (id) => {
  if (isRunBudget(id)) return 'ids that begin with "run." are those of "tokenfuse run --budget"'
  if (!isPresetBudget(id)) return null
  return 'ids that begin with "preset." are those of presets: change its entry in "presets"'
}

const timeZone = z
  .string()
  .refine(isTimeZone, { error: 'not a time zone: use an IANA name such as Europe/Berlin' })

/** `tokenfuse.yaml` as a person writes it; read, presets are the budgets that they stand for. */
export const policySchema = z
  .strictObject({
    ...policyFields(writtenDuration, timeZone),
    presets: z
      .array(presetSchema)
      .default([])
      .describe('usual budgets by name, for the agents that match'),
    notify: notifySchema.optional(),
  })
  .superRefine(({ budgets }, context) => checkIds(budgets, context, notForFiles))
  .transform(({ presets, ...policy }, context) => {
    const seen = new Set<string>()
    const made = presets.flatMap((preset, index) => {
      for (const { id } of presetBudgets(preset)) {
        if (seen.has(id)) {
          const message = `a second entry makes the budget "${id}"; put its agents together`
          context.addIssue({ code: 'custom', path: ['presets', index, 'preset'], message })
        }
        seen.add(id)
      }
      return presetBudgets(preset).map((budget) => budgetSchema.parse(budget))
    })
    const budgets = [...policy.budgets, ...made]
    if (budgets.length > MAX_BUDGETS) {
      const message = `with presets there are more than ${MAX_BUDGETS} budgets`
      context.addIssue({ code: 'custom', path: ['presets'], message })
    }
    return { ...policy, budgets }
  })
  .meta({ id: 'Policy', title: 'tokenfuse.yaml' })

/** A policy as the log keeps it: durations in milliseconds, and a time zone that another machine need not know. */
export const resolvedPolicySchema = z
  .strictObject(policyFields(milliseconds, z.string()))
  .superRefine(({ budgets }, context) => checkIds(budgets, context))
  .meta({ id: 'ResolvedPolicy' })
export type Policy = z.output<typeof policySchema>
export type PolicyInput = z.input<typeof policySchema>

export const EMPTY_POLICY: Policy = policySchema.parse({ version: 1 })

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
