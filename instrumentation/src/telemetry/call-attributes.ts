import {
  ATTR_AGENT_NAME,
  ATTR_CALLERS,
  ATTR_CRITICALITY,
  ATTR_DECISION_ACTION,
  ATTR_DECISION_BUDGET,
  ATTR_DECISION_ID,
  ATTR_DECISION_REASON,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_STATUS_CODE,
  ATTR_OPENAI_SERVICE_TIER,
  ATTR_OPERATION_NAME,
  ATTR_ORIGINAL_MODEL,
  ATTR_PROVIDER_NAME,
  ATTR_REQUEST_MAX_TOKENS,
  ATTR_REQUEST_MODEL,
  ATTR_REQUEST_STREAM,
  ATTR_RESPONSE_FINISH_REASONS,
  ATTR_RESPONSE_ID,
  ATTR_RESPONSE_MODEL,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_SERVICE_TIER,
  ATTR_SESSION_ID,
  ATTR_STEP_INDEX,
  ATTR_STEP_NAME,
  ATTR_TAG_PREFIX,
  ATTR_TASK_DIFFICULTY,
  ATTR_TASK_ID,
  ATTR_TASK_TYPE,
  ATTR_TENANT,
  ATTR_TOOL_CALL_KEYS,
  ATTR_TOOL_RESULT_KEYS,
  ATTR_USAGE_CACHE_READ_TOKENS,
  ATTR_USAGE_CACHE_WRITE_1H_TOKENS,
  ATTR_USAGE_CACHE_WRITE_TOKENS,
  ATTR_USAGE_INPUT_TOKENS,
  ATTR_USAGE_OUTPUT_TOKENS,
  ATTR_USAGE_PARTS,
  ATTR_USAGE_PROBLEMS,
  ATTR_USAGE_REASONING_TOKENS,
  ATTR_USAGE_SOURCE,
  ATTR_USAGE_SYSTEM_TOKENS,
  ATTR_USER_ID,
  ATTR_VERDICT,
  sumOfTokens,
} from '@tokenfuse/protocol/names'
import type { UsagePart } from '@tokenfuse/protocol/names'
import { AttributeList } from './attribute-list.ts'
import type { Attribute } from './attribute-list.ts'
import type { Attribution, CallRecord } from './call-record.ts'

const TAGS_MAX = 64

/** The attributes of a call's span, by the GenAI conventions where they have a name for it. */
export function callAttributes(call: CallRecord): readonly Attribute[] {
  const list = new AttributeList()
  addRequest(list, call)
  addResponse(list, call)
  addUsage(list, call)
  addAttribution(list, call.attribution)
  addVerdict(list, call)
  return list.attributes
}

function addRequest(list: AttributeList, call: CallRecord): void {
  list
    .text(ATTR_OPERATION_NAME, call.operation)
    .text(ATTR_PROVIDER_NAME, call.provider)
    .text(ATTR_REQUEST_MODEL, call.requestModel)
    .text(ATTR_ORIGINAL_MODEL, call.originalModel)
    .count(ATTR_REQUEST_MAX_TOKENS, call.maxOutputTokens)
    .flag(ATTR_REQUEST_STREAM, call.stream)
    .text(ATTR_SERVER_ADDRESS, call.serverAddress)
    .count(ATTR_SERVER_PORT, call.serverPort)
    .list(ATTR_TOOL_CALL_KEYS, call.toolCallKeys)
    .list(ATTR_TOOL_RESULT_KEYS, call.toolResultKeys)
}

function addResponse(list: AttributeList, call: CallRecord): void {
  const tierName = call.provider === 'openai' ? ATTR_OPENAI_SERVICE_TIER : ATTR_SERVICE_TIER
  list
    .text(ATTR_RESPONSE_ID, call.responseId)
    .text(ATTR_RESPONSE_MODEL, call.responseModel)
    .list(ATTR_RESPONSE_FINISH_REASONS, call.finishReasons)
    .text(tierName, call.serviceTier)
    .text(ATTR_ERROR_TYPE, call.error)
    .count(ATTR_HTTP_STATUS_CODE, call.statusCode)
}

function addUsage(list: AttributeList, call: CallRecord): void {
  const sum = sumOfTokens(call.parts)
  const { cacheWrite, cacheWrite1h } = sum
  const written = cacheWrite === null && cacheWrite1h === null
  list
    .text(ATTR_USAGE_SOURCE, call.source)
    .count(ATTR_USAGE_INPUT_TOKENS, sum.input)
    .count(ATTR_USAGE_CACHE_READ_TOKENS, sum.cacheRead)
    .count(ATTR_USAGE_CACHE_WRITE_TOKENS, written ? null : (cacheWrite ?? 0) + (cacheWrite1h ?? 0))
    .count(ATTR_USAGE_CACHE_WRITE_1H_TOKENS, cacheWrite1h)
    .count(ATTR_USAGE_OUTPUT_TOKENS, sum.output)
    .count(ATTR_USAGE_REASONING_TOKENS, sum.reasoning)
    .count(ATTR_USAGE_SYSTEM_TOKENS, call.systemTokens)
    .list(ATTR_USAGE_PROBLEMS, call.problems)
  if (!isPlain(call.parts)) list.json(ATTR_USAGE_PARTS, call.parts)
}

/** True where the sums say all that there is to price: one answer of the response's own model. */
function isPlain(parts: readonly UsagePart[]): boolean {
  const [first, ...others] = parts
  if (first === undefined) return true
  const { part, model, webSearches } = first
  return others.length === 0 && part === 'message' && model === null && webSearches === 0
}

function addAttribution(list: AttributeList, attribution: Attribution): void {
  list
    .name(ATTR_TENANT, attribution.tenant)
    .name(ATTR_AGENT_NAME, attribution.agent)
    .name(ATTR_TASK_ID, attribution.task)
    .text(ATTR_TASK_TYPE, attribution.taskType)
    .text(ATTR_TASK_DIFFICULTY, attribution.difficulty)
    .count(ATTR_STEP_INDEX, attribution.stepIndex)
    .text(ATTR_STEP_NAME, attribution.stepName)
    .name(ATTR_USER_ID, attribution.user)
    .name(ATTR_SESSION_ID, attribution.session)
    .text(ATTR_CRITICALITY, attribution.criticality)
  if (attribution.callers?.length) list.json(ATTR_CALLERS, attribution.callers)
  for (const [name, value] of Object.entries(attribution.tags).slice(0, TAGS_MAX)) {
    list.text(ATTR_TAG_PREFIX + name, value)
  }
}

function addVerdict(list: AttributeList, call: CallRecord): void {
  if (call.verdict !== null) list.json(ATTR_VERDICT, call.verdict)
  if (call.decision === null) return
  list
    .text(ATTR_DECISION_ID, call.decision.id)
    .text(ATTR_DECISION_ACTION, call.decision.action)
    .text(ATTR_DECISION_REASON, call.decision.reason)
    .text(ATTR_DECISION_BUDGET, call.decision.budget)
}
