import {
  CHARGE_KINDS,
  CRITICALITIES,
  PRICED,
  USAGE_PART_KINDS,
  USAGE_SOURCES,
  type UsageEvent,
} from '@tokenfuse/protocol'
import { isAmount, isListOf, isObject, isOneOf, isText } from '../value-checks.ts'

type Fields = Readonly<Record<string, unknown>>

const areTexts = isListOf(isText)
const isCriticality = isOneOf(CRITICALITIES)
const isPriced = isOneOf(PRICED)
const isUsageSource = isOneOf(USAGE_SOURCES)
const isChargeKind = isOneOf(CHARGE_KINDS)
const isUsagePartKind = isOneOf(USAGE_PART_KINDS)

const TEXTS = [
  ...['tenant', 'agent', 'task', 'user', 'session', 'service', 'provider', 'operation'],
  ...['requestModel', 'priceVersion'],
] as const
const NULLABLE_NAMES = [
  ...['taskType', 'difficulty', 'stepName', 'originalModel', 'responseModel', 'serviceTier'],
] as const
const NULLABLE_TEXTS = ['guard', 'responseId', 'error'] as const
const COUNTS = ['input', 'cacheRead', 'cacheWrite', 'cacheWrite1h', 'output', 'reasoning'] as const

/** Days that every month has; those of others are left to the schema. */
const TIME = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/
const TRACE_ID = /^[0-9a-f]{32}$/
const SPAN_ID = /^[0-9a-f]{16}$/

/**
 * Whether a value is a usage event as it is mostly written: a tenth of the time that the schema takes. Where it says
 * no, the schema may still say yes; where it says yes, so does the schema.
 */
export function isUsageEvent(value: unknown): value is UsageEvent {
  if (!isObject(value) || value['type'] !== 'usage' || value['v'] !== 1) return false
  for (const name of TEXTS) if (!isName(value[name])) return false
  for (const name of NULLABLE_NAMES) if (value[name] !== null && !isName(value[name])) return false
  for (const name of NULLABLE_TEXTS) if (value[name] !== null && !isText(value[name])) return false
  return hasIds(value) && hasAmounts(value) && hasRest(value)
}

function hasIds(event: Fields): boolean {
  const { time, durationMs, traceId, spanId, parentSpanId } = event
  return (
    isLike(time, TIME) &&
    typeof durationMs === 'number' &&
    durationMs >= 0 &&
    Number.isFinite(durationMs) &&
    isLike(traceId, TRACE_ID) &&
    isLike(spanId, SPAN_ID) &&
    (parentSpanId === null || isLike(parentSpanId, SPAN_ID))
  )
}

function hasAmounts(event: Fields): boolean {
  const { tokens, charges, costPicoUsd } = event
  if (!isAmount(costPicoUsd) || !isObject(tokens) || !Array.isArray(charges)) return false
  for (const name of COUNTS) if (tokens[name] !== null && !isCount(tokens[name])) return false
  for (const charge of charges as unknown[]) if (!isCharge(charge)) return false
  return true
}

function isCharge(charge: unknown): boolean {
  return (
    isObject(charge) &&
    isChargeKind(charge['kind']) &&
    isUsagePartKind(charge['part']) &&
    isName(charge['model']) &&
    isCount(charge['quantity']) &&
    (charge['unit'] === 'token' || charge['unit'] === 'request') &&
    isAmount(charge['picoUsd'])
  )
}

function hasRest(event: Fields): boolean {
  const { step, tags, verdict, savings, toolCallKeys, toolResultKeys, systemTokens } = event
  if (step !== null && !Number.isSafeInteger(step)) return false
  if (!isObject(tags)) return false
  for (const name in tags) if (!isText(tags[name])) return false
  return (
    isCriticality(event['criticality']) &&
    isPriced(event['priced']) &&
    isUsageSource(event['source']) &&
    areTexts(toolCallKeys) &&
    areTexts(toolResultKeys) &&
    event['callers'] === undefined &&
    (systemTokens === undefined || isCount(systemTokens)) &&
    Array.isArray(savings) &&
    savings.length === 0 &&
    (verdict === null || isPlainVerdict(verdict))
  )
}

function isPlainVerdict(verdict: unknown): boolean {
  if (!isObject(verdict) || !isName(verdict['action'])) return false
  const { reserve, cap, decision, refusal, basis } = verdict
  return (
    (reserve === null || isCount(reserve)) &&
    (cap === null || isCount(cap)) &&
    (decision === null || isText(decision)) &&
    refusal === undefined &&
    basis === undefined
  )
}

const isName = (value: unknown): boolean => isText(value) && value.length > 0
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0
const isLike = (value: unknown, form: RegExp): boolean => isText(value) && form.test(value)
