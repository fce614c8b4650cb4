import {
  isDimension,
  parseScopeKey,
  plainIssue,
  TASK_OUTCOMES,
  TokenfuseError,
  UNKNOWN,
} from '@tokenfuse/protocol'
import { z } from 'zod'
import type { ForecastQuery } from '../governor/forecast/budget-forecasts.ts'
import type { UsageQuery } from '../governor/usage-query.ts'

const name = z.string().min(1).max(256)

/** The body of `POST /v1/tasks/{id}/end`. */
export const taskEndRequestSchema = z.object({
  agent: name.default(UNKNOWN),
  taskType: name.nullable().default(null),
  outcome: z.enum(TASK_OUTCOMES),
})

const guardSchema = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, 'a guard id is 8 to 64 letters')

const usageQuerySchema = z.object({
  by: z
    .array(z.string().refine(isDimension, 'not a dimension'))
    .max(4)
    .transform((by) => (by.length === 0 ? (['agent'] as const) : by)),
  period: z
    .string()
    .regex(
      /^(all|today|\d{4}-\d\d-\d\d(\.\.\d{4}-\d\d-\d\d)?)$/,
      'a day such as 2026-01-31, days such as 2026-01-01..2026-01-31, today or all',
    )
    .default('all'),
  scope: z
    .string()
    .max(1024)
    .refine(
      (scope) => parseScopeKey(scope).every(([dimension]) => isDimension(dimension)),
      'a scope such as agent=support, or *',
    )
    .default('*'),
  top: z.coerce.number().int().min(1).max(10_000).default(20),
})

/**
 * The query of `GET /v1/usage`.
 * @param today the day of now, in the time zone of the policy
 * @throws TokenfuseError `bad_request`
 */
export function readUsageQuery(url: string, today: () => string): UsageQuery {
  const { searchParams } = new URL(url)
  const query = parse(usageQuerySchema, {
    by: searchParams.getAll('by'),
    period: searchParams.get('period') ?? undefined,
    scope: searchParams.get('scope') ?? undefined,
    top: searchParams.get('top') ?? undefined,
  })
  return query.period === 'today' ? { ...query, period: today() } : query
}

const forecastsQuerySchema = z.object({
  budget: z.string().max(256).optional(),
  scope: z.string().max(1024).optional(),
  top: z.coerce.number().int().min(1).max(1000).default(100),
})

/**
 * The query of `GET /v1/forecasts`.
 * @throws TokenfuseError `bad_request`
 */
export function readForecastsQuery(url: string): ForecastQuery {
  return parse(forecastsQuerySchema, Object.fromEntries(new URL(url).searchParams))
}

const taskCostsQuerySchema = z.object({
  by: z
    .array(z.enum(['agent', 'taskType'], 'agent or taskType'))
    .max(2)
    .transform((by) => (by.length === 0 ? (['taskType'] as const) : by)),
  top: z.coerce.number().int().min(1).max(10_000).default(20),
})

/**
 * The query of `GET /v1/task-costs`.
 * @throws TokenfuseError `bad_request`
 */
export function readTaskCostsQuery(url: string): z.output<typeof taskCostsQuerySchema> {
  const { searchParams } = new URL(url)
  const top = searchParams.get('top') ?? undefined
  return parse(taskCostsQuerySchema, { by: searchParams.getAll('by'), top })
}

/**
 * The `guard` of `GET /v1/stream`; `null` for a listener that is no guard.
 * @throws TokenfuseError `bad_request`
 */
export function readGuard(value: string | undefined): string | null {
  return value === undefined ? null : parse(guardSchema, value)
}

/** Who does something by hand, and why: both are kept in the log. */
export const operatorFields = {
  reason: z.string().min(1).max(1024),
  by: z.string().min(1).max(256),
}

/** @throws TokenfuseError `bad_request` with every place where the value does not fit the schema */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value, { error: plainIssue })
  if (result.success) return result.data
  const problems = result.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`,
  )
  throw new TokenfuseError('bad_request', problems.join('; '))
}
