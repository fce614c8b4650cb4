/**
 * Span attribute names. The `gen_ai.*` ones are the OpenTelemetry GenAI conventions as they stood in
 * open-telemetry/semantic-conventions-genai in autumn 2026 (status Development, no release yet); they are
 * kept here because the constants on npm stopped at v1.41. `tokenfuse.*` names exist only where the
 * conventions have none.
 */
export const ATTR_OPERATION_NAME = 'gen_ai.operation.name'
export const ATTR_PROVIDER_NAME = 'gen_ai.provider.name'
export const ATTR_REQUEST_MODEL = 'gen_ai.request.model'
export const ATTR_REQUEST_MAX_TOKENS = 'gen_ai.request.max_tokens'
export const ATTR_REQUEST_STREAM = 'gen_ai.request.stream'
export const ATTR_RESPONSE_ID = 'gen_ai.response.id'
export const ATTR_RESPONSE_MODEL = 'gen_ai.response.model'
export const ATTR_RESPONSE_FINISH_REASONS = 'gen_ai.response.finish_reasons'
export const ATTR_AGENT_NAME = 'gen_ai.agent.name'
export const ATTR_CONVERSATION_ID = 'gen_ai.conversation.id'
export const ATTR_USAGE_INPUT_TOKENS = 'gen_ai.usage.input_tokens'
export const ATTR_USAGE_CACHE_READ_TOKENS = 'gen_ai.usage.cache_read.input_tokens'
export const ATTR_USAGE_CACHE_WRITE_TOKENS = 'gen_ai.usage.cache_write.input_tokens'
export const ATTR_USAGE_OUTPUT_TOKENS = 'gen_ai.usage.output_tokens'
export const ATTR_USAGE_REASONING_TOKENS = 'gen_ai.usage.reasoning.output_tokens'
export const ATTR_OPENAI_SERVICE_TIER = 'openai.response.service_tier'
export const ATTR_USER_ID = 'user.id'
export const ATTR_SESSION_ID = 'session.id'
export const ATTR_SERVICE_NAME = 'service.name'
export const ATTR_SERVER_ADDRESS = 'server.address'
export const ATTR_SERVER_PORT = 'server.port'
export const ATTR_ERROR_TYPE = 'error.type'
export const ATTR_HTTP_STATUS_CODE = 'http.response.status_code'
export const ATTR_TELEMETRY_SDK_NAME = 'telemetry.sdk.name'
export const ATTR_TELEMETRY_SDK_LANGUAGE = 'telemetry.sdk.language'
export const ATTR_TELEMETRY_SDK_VERSION = 'telemetry.sdk.version'

export const ATTR_TENANT = 'tokenfuse.tenant'
export const ATTR_TASK_ID = 'tokenfuse.task.id'
export const ATTR_TASK_TYPE = 'tokenfuse.task.type'
export const ATTR_TASK_DIFFICULTY = 'tokenfuse.task.difficulty'
export const ATTR_STEP_INDEX = 'tokenfuse.step.index'
export const ATTR_STEP_NAME = 'tokenfuse.step.name'
export const ATTR_CRITICALITY = 'tokenfuse.criticality'
/** JSON of `Caller[]`: for whom the agent works, outermost first. */
export const ATTR_CALLERS = 'tokenfuse.agent.callers'
/** Followed by the tag's name: `tokenfuse.tag.team`. */
export const ATTR_TAG_PREFIX = 'tokenfuse.tag.'
export const ATTR_GUARD_ID = 'tokenfuse.guard.id'
/** True on the one span with which a guard says that it ends and wants its credit no more. */
export const ATTR_GUARD_END = 'tokenfuse.guard.end'
/**
 * On the resource, only where it is not 0: how many spans of this guard were given up before they could be told,
 * since it began. The highest value seen holds.
 */
export const ATTR_DROPPED_SPANS = 'tokenfuse.dropped.spans'
export const ATTR_USAGE_SOURCE = 'tokenfuse.usage.source'
/** Set on a span whose calls are reported by the preload already, so that its own usage is not added. */
export const ATTR_USAGE_COUNTED = 'tokenfuse.usage.counted'
/** The one-hour part of `gen_ai.usage.cache_write.input_tokens`, which bills at another rate. */
export const ATTR_USAGE_CACHE_WRITE_1H_TOKENS = 'tokenfuse.usage.cache_write_1h.input_tokens'
/** JSON array of `UsagePart`, only where one response bills more than one request. */
export const ATTR_USAGE_PARTS = 'tokenfuse.usage.parts'
/** Of the input tokens, those of the system prompt, as the preload estimates them. */
export const ATTR_USAGE_SYSTEM_TOKENS = 'tokenfuse.usage.system.input_tokens'
export const ATTR_USAGE_PROBLEMS = 'tokenfuse.usage.problems'
export const ATTR_SERVICE_TIER = 'tokenfuse.service_tier'
export const ATTR_TOOL_CALL_KEYS = 'tokenfuse.tool.call.keys'
export const ATTR_TOOL_RESULT_KEYS = 'tokenfuse.tool.result.keys'
export const ATTR_DECISION_ID = 'tokenfuse.decision.id'
export const ATTR_DECISION_ACTION = 'tokenfuse.decision.action'
export const ATTR_DECISION_REASON = 'tokenfuse.decision.reason'
export const ATTR_DECISION_BUDGET = 'tokenfuse.decision.budget'
/** JSON of `Verdict`: what the guard made of the call before it ran. */
export const ATTR_VERDICT = 'tokenfuse.verdict'
export const ATTR_ORIGINAL_MODEL = 'tokenfuse.request.original_model'
/** Followed by `strategy`, `input_tokens` or `output_tokens`. */
export const ATTR_SAVINGS_PREFIX = 'tokenfuse.savings.'

/** Older or foreign names accepted on input, each with the name of today that it stands for. */
export const LEGACY_ATTRIBUTES: Readonly<Record<string, string>> = {
  'gen_ai.system': ATTR_PROVIDER_NAME,
  'gen_ai.usage.prompt_tokens': ATTR_USAGE_INPUT_TOKENS,
  'gen_ai.usage.completion_tokens': ATTR_USAGE_OUTPUT_TOKENS,
  'gen_ai.usage.cache_creation.input_tokens': ATTR_USAGE_CACHE_WRITE_TOKENS,
  'gen_ai.usage.cache_creation_input_tokens': ATTR_USAGE_CACHE_WRITE_TOKENS,
  'gen_ai.usage.cache_read_input_tokens': ATTR_USAGE_CACHE_READ_TOKENS,
  'gen_ai.openai.response.service_tier': ATTR_OPENAI_SERVICE_TIER,
}

/** Operations of calls that cost money; every other operation's usage is a sum of such calls. */
export const BILLED_OPERATIONS = [
  'chat',
  'generate_content',
  'text_completion',
  'embeddings',
] as const
export type BilledOperation = (typeof BILLED_OPERATIONS)[number]
