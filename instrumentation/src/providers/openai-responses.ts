import type { UsagePart } from '@tokenfuse/protocol/names'
import type { DialectRules, EndReason, Glance, ResponseFacts } from './dialect-rules.ts'
import { asArray, asCount, asObject, asText, errorName, type JsonObject } from './json.ts'
import { leadingType } from './json-text.ts'
import {
  mergeOpenAiUsage,
  NO_OPENAI_USAGE,
  openAiTokens,
  type OpenAiUsage,
} from './openai-usage.ts'
import { note, type ResponseProblem } from './problems.ts'
import { withoutCommonModel } from './usage-parts.ts'

type ResponsesState = {
  readonly responseId: string | null
  readonly responseModel: string | null
  readonly serviceTier: string | null
  /** The last status that ends a response, in the provider's words. */
  readonly finishReason: string | null
  readonly usage: OpenAiUsage
  readonly webSearches: number
  /** What earlier responses of the same stream were charged. */
  readonly earlier: readonly UsagePart[]
  readonly error: string | null
  readonly problems: readonly ResponseProblem[]
}

const INITIAL: ResponsesState = {
  responseId: null,
  responseModel: null,
  serviceTier: null,
  finishReason: null,
  usage: NO_OPENAI_USAGE,
  webSearches: 0,
  earlier: [],
  error: null,
  problems: [],
}

const LAST_EVENTS = ['response.completed', 'response.incomplete', 'response.failed']
const STATE_EVENTS = new Set(['response.created', 'error', ...LAST_EVENTS])
const ANY_STATE_EVENT = /"(?:response\.(?:created|completed|incomplete|failed)|error)"/
const LAST_STATUSES = new Set(['completed', 'incomplete', 'failed', 'cancelled'])
const CHANGE: Glance = { mayChange: true, textNames: [] }
const TEXT: Glance = { mayChange: false, textNames: ['delta"'] }
const NOTHING: Glance = { mayChange: false, textNames: [] }
const OPENAI_COUNTING = { countsApart: false, hasNoOutput: false }

/** The responses endpoint: usage on the event that ends the stream, always. */
export const OPENAI_RESPONSES_RULES: DialectRules<ResponsesState> = {
  initial: INITIAL,
  glance,
  reduce,
  readBody: (body) => readResponse(INITIAL, body, true),
  bodyTextNames: ['text"', 'arguments"'],
  conclude,
}

function glance(_state: ResponsesState, data: string): Glance {
  const type = leadingType(data)
  if (type === null)
    return ANY_STATE_EVENT.test(data) ? CHANGE : data.includes('.delta"') ? TEXT : NOTHING
  if (type.endsWith('.delta')) return type === 'response.audio.delta' ? NOTHING : TEXT
  return STATE_EVENTS.has(type) ? CHANGE : NOTHING
}

function reduce(state: ResponsesState, event: JsonObject): ResponsesState {
  const type = asText(event['type']) ?? ''
  const response = asObject(event['response'])
  if (response) {
    const isNext = type === 'response.created' && state.finishReason !== null
    return readResponse(isNext ? nextResponse(state) : state, response, LAST_EVENTS.includes(type))
  }
  if (type !== 'error' && !asObject(event['error'])) return state
  return { ...state, error: errorName(event['error']) ?? errorName({ code: event['code'] }) }
}

function readResponse(
  state: ResponsesState,
  response: JsonObject,
  isLast: boolean,
): ResponsesState {
  const problems = [...state.problems]
  const usage = asObject(response['usage'])
  const toolUsage = asObject(response['tool_usage'])
  const imageTokens = asCount(asObject(toolUsage?.['image_gen'])?.['total_tokens'], problems)
  if (imageTokens !== null && imageTokens > 0) note(problems, 'image_tokens_unpriced')
  return {
    ...state,
    responseId: asText(response['id']) ?? state.responseId,
    responseModel: asText(response['model']) ?? state.responseModel,
    serviceTier: asText(response['service_tier']) ?? state.serviceTier,
    finishReason: (isLast ? finishReasonOf(response) : null) ?? state.finishReason,
    usage: usage ? mergeOpenAiUsage(state.usage, usage, problems) : state.usage,
    webSearches: isLast ? billedSearches(response, problems) : state.webSearches,
    error: errorName(response['error']) ?? state.error,
    problems,
  }
}

function finishReasonOf(response: JsonObject): string | null {
  const details = asObject(response['incomplete_details'])
  const status = asText(response['status'])
  // A compacted conversation has usage and no status.
  if (status === null) return asObject(response['usage']) ? 'completed' : null
  return asText(details?.['reason']) ?? (LAST_STATUSES.has(status) ? status : null)
}

/**
 * Searches billed by the call: the provider's own count, else the calls of its tool that searched. Opening a page
 * or looking for a text in it are calls of the same tool, and free.
 */
function billedSearches(response: JsonObject, problems: ResponseProblem[]): number {
  const webSearch = asObject(asObject(response['tool_usage'])?.['web_search'])
  const counted = asCount(webSearch?.['num_requests'], problems)
  if (counted !== null) return counted
  const searches = asArray(response['output']).filter((value) => {
    const item = asObject(value)
    if (item?.['type'] !== 'web_search_call') return false
    const action = asObject(item['action'])
    return action === null || action['type'] === 'search'
  })
  return searches.length
}

function nextResponse(state: ResponsesState): ResponsesState {
  const problems = [...state.problems]
  const earlier = [...state.earlier, ...partsOf(state, problems)]
  note(problems, 'several_responses')
  return { ...INITIAL, earlier, problems }
}

function partsOf(state: ResponsesState, problems: ResponseProblem[]): UsagePart[] {
  const tokens = openAiTokens(state.usage, OPENAI_COUNTING, problems)
  if (tokens.input === null && tokens.output === null) return []
  const { responseModel: model, webSearches } = state
  return [{ part: 'message', model, tokens, webSearches }]
}

function conclude(state: ResponsesState, reason: EndReason): Omit<ResponseFacts, 'outputText'> {
  const problems = [...state.problems]
  const { responseId, responseModel, serviceTier, finishReason, error } = state
  const current = partsOf(state, problems)
  const parts = withoutCommonModel([...state.earlier, ...current], responseModel)
  const isFinal = finishReason !== null && current.length > 0
  if (current.length === 0 && reason === 'complete' && error === null) {
    note(problems, 'usage_missing')
  }
  return {
    responseId,
    responseModel,
    serviceTier,
    finishReasons: finishReason === null ? [] : [finishReason],
    parts,
    source: parts.length === 0 ? null : isFinal ? 'provider' : 'partial',
    problems,
    error,
  }
}
