import { z } from 'zod'
import { creditReportSchema } from './credit.ts'
import { amountSchema } from './decision.ts'
import { MAX_RULES, ruleSchema } from './policy/rules/schema.ts'
import { resolvedPolicySchema } from './policy/schema.ts'
import { usageEventSchema } from './usage-event.ts'

const name = z.string().min(1)

export const TASK_OUTCOMES = ['completed', 'failed', 'cancelled'] as const
export type TaskOutcome = (typeof TASK_OUTCOMES)[number]

/** A task is over, as the app says. */
export const taskEndSchema = z
  .object({
    type: z.literal('task.end'),
    v: z.literal(1),
    tenant: name,
    task: name,
    agent: name,
    taskType: name.nullable(),
    outcome: z.enum(TASK_OUTCOMES),
    time: z.iso.datetime(),
  })
  .meta({ id: 'TaskEnd' })
export type TaskEnd = z.output<typeof taskEndSchema>

/** Offsets of a time zone: each holds from `fromMs` until the next one's. The first holds for all time before, too. */
export const zoneSchema = z.object({
  name,
  offsets: z.array(z.object({ fromMs: z.number(), offsetMs: z.number() })).min(1),
})
export type Zone = z.output<typeof zoneSchema>

/** A policy comes into force. One that was made from an older version than the one in force is rejected. */
export const policySetSchema = z
  .object({
    type: z.literal('policy.set'),
    v: z.literal(1),
    tenant: name,
    basedOn: z
      .int()
      .nonnegative()
      .nullable()
      .describe('version (offset) it was made from; null for the first'),
    policy: resolvedPolicySchema,
    rules: z
      .array(ruleSchema)
      .max(MAX_RULES)
      .optional()
      .describe('of budget-alerts.yaml; absent for none'),
    zone: zoneSchema,
  })
  .meta({ id: 'PolicySet' })
export type PolicySet = z.output<typeof policySetSchema>

/** More credit for one scope of one budget, until a time or the end of the window. */
export const overrideSetSchema = z
  .object({
    type: z.literal('override.set'),
    v: z.literal(1),
    tenant: name,
    id: name,
    budget: name,
    scope: name,
    add: amountSchema.describe('added to the limit, in the unit of the budget'),
    reason: name,
    by: name,
    until: z.iso.datetime().nullable(),
  })
  .meta({ id: 'OverrideSet' })
export type OverrideSet = z.output<typeof overrideSetSchema>

/** An operator lets go of what a detection or a rule has stopped. */
export const decisionLiftSchema = z
  .object({
    type: z.literal('decision.lift'),
    v: z.literal(1),
    tenant: name,
    decision: name.describe('id of the decision, or of one whose place it has taken'),
    reason: name,
    by: name,
  })
  .meta({ id: 'DecisionLift' })
export type DecisionLift = z.output<typeof decisionLiftSchema>

/** Time passes. Written only when something is due. */
export const tickSchema = z
  .object({
    type: z.literal('tick'),
    v: z.literal(1),
    tenant: name,
    governorVersion: name,
    stateHash: z.string().nullable(),
    stateOffset: z.int().nonnegative().describe('the offset after which the hash was taken'),
  })
  .meta({ id: 'Tick' })
export type Tick = z.output<typeof tickSchema>

export const logEventSchema = z
  .discriminatedUnion('type', [
    usageEventSchema,
    creditReportSchema,
    taskEndSchema,
    policySetSchema,
    overrideSetSchema,
    decisionLiftSchema,
    tickSchema,
  ])
  .meta({ id: 'LogEvent', title: 'tokenfuse event' })
export type LogEvent = z.output<typeof logEventSchema>

/** An event with its place in the log and the time at which the log took it. */
export type LogEntry<Event extends LogEvent = LogEvent> = {
  readonly offset: number
  readonly logTimeMs: number
  readonly event: Event
}
