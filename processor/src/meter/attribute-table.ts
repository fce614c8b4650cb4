import {
  ATTR_AGENT_NAME,
  ATTR_CONVERSATION_ID,
  ATTR_CALLERS,
  ATTR_CRITICALITY,
  ATTR_DECISION_ACTION,
  ATTR_DECISION_ID,
  ATTR_DROPPED_SPANS,
  ATTR_ERROR_TYPE,
  ATTR_GUARD_END,
  ATTR_GUARD_ID,
  ATTR_OPENAI_SERVICE_TIER,
  ATTR_OPERATION_NAME,
  ATTR_ORIGINAL_MODEL,
  ATTR_PROVIDER_NAME,
  ATTR_REQUEST_MODEL,
  ATTR_RESPONSE_ID,
  ATTR_RESPONSE_MODEL,
  ATTR_SAVINGS_PREFIX,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_TIER,
  ATTR_SESSION_ID,
  ATTR_STEP_INDEX,
  ATTR_STEP_NAME,
  ATTR_TASK_DIFFICULTY,
  ATTR_TASK_ID,
  ATTR_TASK_TYPE,
  ATTR_TENANT,
  ATTR_TOOL_CALL_KEYS,
  ATTR_TOOL_RESULT_KEYS,
  ATTR_USAGE_CACHE_READ_TOKENS,
  ATTR_USAGE_CACHE_WRITE_1H_TOKENS,
  ATTR_USAGE_CACHE_WRITE_TOKENS,
  ATTR_USAGE_COUNTED,
  ATTR_USAGE_INPUT_TOKENS,
  ATTR_USAGE_OUTPUT_TOKENS,
  ATTR_USAGE_PARTS,
  ATTR_USAGE_REASONING_TOKENS,
  ATTR_USAGE_SOURCE,
  ATTR_USAGE_SYSTEM_TOKENS,
  ATTR_USER_ID,
  ATTR_VERDICT,
  LEGACY_ATTRIBUTES,
} from '@tokenfuse/protocol'

/** One of these makes a span worth keeping; a span without any has nothing to do with calls to a model. */
const CALL_NAMES = {
  operation: ATTR_OPERATION_NAME,
  provider: ATTR_PROVIDER_NAME,
  requestModel: ATTR_REQUEST_MODEL,
  responseModel: ATTR_RESPONSE_MODEL,
  responseId: ATTR_RESPONSE_ID,
  input: ATTR_USAGE_INPUT_TOKENS,
  cacheRead: ATTR_USAGE_CACHE_READ_TOKENS,
  cacheWrite: ATTR_USAGE_CACHE_WRITE_TOKENS,
  cacheWrite1h: ATTR_USAGE_CACHE_WRITE_1H_TOKENS,
  output: ATTR_USAGE_OUTPUT_TOKENS,
  reasoning: ATTR_USAGE_REASONING_TOKENS,
  parts: ATTR_USAGE_PARTS,
  guardEnd: ATTR_GUARD_END,
} as const

/** Who calls and what for. A resource may say it for all its spans, so that plain environment variables can. */
const ATTRIBUTION_NAMES = {
  tenant: ATTR_TENANT,
  agent: ATTR_AGENT_NAME,
  task: ATTR_TASK_ID,
  taskType: ATTR_TASK_TYPE,
  user: ATTR_USER_ID,
  session: ATTR_SESSION_ID,
  criticality: ATTR_CRITICALITY,
  service: ATTR_SERVICE_NAME,
  guard: ATTR_GUARD_ID,
  droppedSpans: ATTR_DROPPED_SPANS,
} as const

const DETAIL_NAMES = {
  conversation: ATTR_CONVERSATION_ID,
  difficulty: ATTR_TASK_DIFFICULTY,
  step: ATTR_STEP_INDEX,
  stepName: ATTR_STEP_NAME,
  source: ATTR_USAGE_SOURCE,
  systemTokens: ATTR_USAGE_SYSTEM_TOKENS,
  counted: ATTR_USAGE_COUNTED,
  serviceTier: ATTR_SERVICE_TIER,
  openaiServiceTier: ATTR_OPENAI_SERVICE_TIER,
  errorType: ATTR_ERROR_TYPE,
  originalModel: ATTR_ORIGINAL_MODEL,
  toolCallKeys: ATTR_TOOL_CALL_KEYS,
  toolResultKeys: ATTR_TOOL_RESULT_KEYS,
  verdict: ATTR_VERDICT,
  callers: ATTR_CALLERS,
  decisionId: ATTR_DECISION_ID,
  decisionAction: ATTR_DECISION_ACTION,
  savingsStrategy: `${ATTR_SAVINGS_PREFIX}strategy`,
  savingsInput: `${ATTR_SAVINGS_PREFIX}input_tokens`,
  savingsOutput: `${ATTR_SAVINGS_PREFIX}output_tokens`,
} as const

const NAMES = { ...CALL_NAMES, ...ATTRIBUTION_NAMES, ...DETAIL_NAMES }

/** Something that the meter reads of a span, whatever a dialect calls it. */
export type FieldName = keyof typeof NAMES

const FIELD_NAMES = Object.keys(NAMES) as FieldName[]
export const FIELD_COUNT = FIELD_NAMES.length

/** Each field's place in an array of all of them. */
export const FIELD = Object.fromEntries(
  FIELD_NAMES.map((name, index) => [name, index]),
) as Readonly<Record<FieldName, number>>

/**
 * Names of all attributes that are read, today's in the order of the fields and then the older ones. A *key* is a
 * place in this list; so a key below `FIELD_COUNT` is its own field and the name of today.
 */
export const ATTRIBUTE_NAMES: readonly string[] = [
  ...Object.values(NAMES),
  ...Object.keys(LEGACY_ATTRIBUTES),
]

/** The field that a key stands for. */
export const FIELD_OF_KEY: readonly number[] = ATTRIBUTE_NAMES.map((name) =>
  ATTRIBUTE_NAMES.indexOf(LEGACY_ATTRIBUTES[name] ?? name),
)

/** Whether a key makes its span worth keeping. */
export const MARKS_CALL: readonly boolean[] = FIELD_OF_KEY.map(
  (field) => (FIELD_NAMES[field] ?? '') in CALL_NAMES,
)

/** Whether a resource may give a key's value to its spans. */
export const GIVEN_BY_RESOURCE: readonly boolean[] = FIELD_OF_KEY.map(
  (field) => (FIELD_NAMES[field] ?? '') in ATTRIBUTION_NAMES,
)

/** Keys of a tag's two entries, which follow each other: its name, then its value. */
export const TAG_NAME_KEY = ATTRIBUTE_NAMES.length
export const TAG_VALUE_KEY = ATTRIBUTE_NAMES.length + 1
