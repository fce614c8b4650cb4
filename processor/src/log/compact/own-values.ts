import type { OwnRefusal, UsageEvent } from '@tokenfuse/protocol'
import {
  beginsLike,
  type Check,
  isAmount,
  isListOf,
  isNullOr,
  isNumber,
  isNumberOrNull,
  isObjectOf,
  isText,
  isTextOrNull,
} from '../../value-checks.ts'

/** What each call has for itself, in the order in which the log holds it. */
export type OwnValues = readonly [
  ...[time: string, durationMs: number, traceId: string, spanId: string],
  ...[parentSpanId: string | null, guard: string | null, responseId: string | null],
  ...[task: string, step: number | null, stepName: string | null, user: string, session: string],
  ...[input: number | null, cacheRead: number | null, cacheWrite: number | null],
  ...[cacheWrite1h: number | null, output: number | null, reasoning: number | null],
  ...[costPicoUsd: string, error: string | null, toolCallKeys: string[], toolResultKeys: string[]],
  ...[reserve: number | null, cap: number | null, decision: string | null],
  ...[refusal: OwnRefusal | null, savings: UsageEvent['savings']],
  /** For each charge its quantity, then its cost in pico-USD; then the tokens of the system prompt, where they are known. */
  ...charges: (number | string)[],
]

const areTexts = isListOf(isText)
const isRefusal = isObjectOf({
  ...{ reason: isText, budget: isTextOrNull, scope: isTextOrNull, unit: isTextOrNull },
  ...{ limit: isTextOrNull, spent: isTextOrNull, needed: isTextOrNull },
})
const isSaving = isObjectOf({
  ...{ strategy: isText, inputTokens: isNumberOrNull, outputTokens: isNumberOrNull },
})
/** Of what stands before the charges. */
const FORM: readonly Check[] = [
  ...[isText, isNumber, isText, isText],
  ...[isTextOrNull, isTextOrNull, isTextOrNull],
  ...[isText, isNumberOrNull, isTextOrNull, isText, isText],
  ...[isNumberOrNull, isNumberOrNull, isNumberOrNull],
  ...[isNumberOrNull, isNumberOrNull, isNumberOrNull],
  ...[isAmount, isTextOrNull, areTexts, areTexts],
  ...[isNumberOrNull, isNumberOrNull, isTextOrNull],
  ...[isNullOr(isRefusal), isListOf(isSaving)],
]
/** Where the charges begin. */
export const CHARGES_AT = FORM.length

export function ownText(event: UsageEvent): string {
  const { tokens, verdict, charges } = event
  const values: [...OwnValues] = [
    event.time,
    event.durationMs,
    event.traceId,
    event.spanId,
    event.parentSpanId,
    event.guard,
    event.responseId,
    event.task,
    event.step,
    event.stepName,
    event.user,
    event.session,
    tokens.input,
    tokens.cacheRead,
    tokens.cacheWrite,
    tokens.cacheWrite1h,
    tokens.output,
    tokens.reasoning,
    event.costPicoUsd,
    event.error,
    event.toolCallKeys,
    event.toolResultKeys,
    verdict?.reserve ?? null,
    verdict?.cap ?? null,
    verdict?.decision ?? null,
    verdict?.refusal ?? null,
    event.savings,
  ]
  for (const { quantity, picoUsd } of charges) values.push(quantity, picoUsd)
  if (event.systemTokens !== undefined) values.push(event.systemTokens)
  return JSON.stringify(values)
}

/** Whether values are those of a call with so many charges, as `ownText` writes them. */
export function areOwnValues(values: unknown, charges: number): values is OwnValues {
  const end = CHARGES_AT + charges * 2
  if (!Array.isArray(values) || values.length < end || values.length > end + 1) return false
  if (values.length > end && !isNumber(values[end])) return false
  for (let at = CHARGES_AT; at < end; at += 2) {
    if (!isNumber(values[at]) || !isAmount(values[at + 1])) return false
  }
  return beginsLike(values, FORM)
}
