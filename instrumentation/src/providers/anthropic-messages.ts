import type { UsagePart } from '@tokenfuse/protocol/names'
import { anthropicParts, chargedModel } from './anthropic-parts.ts'
import { type AnthropicUsage, mergeAnthropicUsage, NO_ANTHROPIC_USAGE } from './anthropic-usage.ts'
import type { DialectRules, EndReason, Glance, ResponseFacts } from './dialect-rules.ts'
import { asObject, asText, errorName, type JsonObject } from './json.ts'
import { leadingType } from './json-text.ts'
import { note, type ResponseProblem } from './problems.ts'
import { withoutCommonModel } from './usage-parts.ts'

type Message = {
  readonly id: string | null
  readonly model: string | null
  readonly usage: AnthropicUsage
  readonly stopReason: string | null
  /** Usage of a `message_delta`, which counts the answer so far and not only its beginning. */
  readonly hasDeltaUsage: boolean
  readonly isStopped: boolean
}

type MessagesState = {
  readonly message: Message | null
  /** What earlier messages of the same stream were charged. */
  readonly earlier: readonly UsagePart[]
  /** An earlier message was given up before it ended, so that its output is not wholly known. */
  readonly isSpliced: boolean
  readonly error: string | null
  readonly problems: readonly ResponseProblem[]
}

const INITIAL: MessagesState = {
  message: null,
  earlier: [],
  isSpliced: false,
  error: null,
  problems: [],
}

const STATE_EVENTS = new Set(['message_start', 'message_delta', 'message_stop', 'error'])
const ANY_STATE_EVENT = /"(?:message_start|message_delta|message_stop|error|fallback)"/
const CHANGE: Glance = { mayChange: true, textNames: [] }
const TEXT: Glance = { mayChange: false, textNames: ['text"', 'partial_json"', 'thinking"'] }
const NOTHING: Glance = { mayChange: false, textNames: [] }

/** The messages endpoint: usage at the start of a stream, and cumulative at its end. */
export const ANTHROPIC_MESSAGES_RULES: DialectRules<MessagesState> = {
  initial: INITIAL,
  glance,
  reduce,
  readBody,
  bodyTextNames: ['text"', 'thinking"'],
  conclude,
}

function glance(_state: MessagesState, data: string): Glance {
  const type = leadingType(data)
  if (type === 'content_block_delta') return TEXT
  // A block may say that another model goes on.
  if (type === 'content_block_start') return data.includes('"fallback"') ? CHANGE : NOTHING
  if (type !== null) return STATE_EVENTS.has(type) ? CHANGE : NOTHING
  if (ANY_STATE_EVENT.test(data)) return CHANGE
  return data.includes('"content_block_delta"') ? TEXT : NOTHING
}

function reduce(state: MessagesState, event: JsonObject): MessagesState {
  switch (event['type']) {
    case 'message_start':
      return startMessage(state, asObject(event['message']) ?? {})
    case 'message_delta':
      return continueMessage(state, event)
    case 'message_stop':
      return state.message ? { ...state, message: { ...state.message, isStopped: true } } : state
    case 'content_block_start':
      return changeModel(state, asObject(event['content_block']))
    case 'error':
      return { ...state, error: errorName(event['error']) ?? 'error' }
    default:
      return state
  }
}

function startMessage(state: MessagesState, start: JsonObject): MessagesState {
  const { message } = state
  const id = asText(start['id'])
  // A gateway may repeat the start; its usage is older than what is known.
  if (message && !message.isStopped && message.id === id) return state
  const before = message ? closeMessage(state, message) : state
  const problems = [...before.problems]
  return { ...before, message: readMessage(start, problems), problems }
}

function readMessage(body: JsonObject, problems: ResponseProblem[]): Message {
  const usage = asObject(body['usage'])
  return {
    id: asText(body['id']),
    model: asText(body['model']),
    usage: usage ? mergeAnthropicUsage(NO_ANTHROPIC_USAGE, usage, problems) : NO_ANTHROPIC_USAGE,
    stopReason: asText(body['stop_reason']),
    hasDeltaUsage: false,
    isStopped: false,
  }
}

/** Another message begins in the same stream: the one before stays charged, as an attempt if it had not ended. */
function closeMessage(state: MessagesState, message: Message): MessagesState {
  const problems = [...state.problems]
  const isAttempt = !isFinal(message)
  note(problems, isAttempt ? 'stream_spliced' : 'several_responses')
  const parts = partsOf(message, problems).map((part) =>
    isAttempt ? { ...part, part: 'attempt' as const } : part,
  )
  return {
    ...state,
    earlier: [...state.earlier, ...parts],
    isSpliced: state.isSpliced || isAttempt,
    problems,
  }
}

function continueMessage(state: MessagesState, event: JsonObject): MessagesState {
  const problems = [...state.problems]
  const message = state.message ?? readMessage({}, problems)
  const usage = asObject(event['usage'])
  const stopReason = asText(asObject(event['delta'])?.['stop_reason']) ?? message.stopReason
  return {
    ...state,
    problems,
    message: {
      ...message,
      stopReason,
      usage: usage ? mergeAnthropicUsage(message.usage, usage, problems) : message.usage,
      hasDeltaUsage: message.hasDeltaUsage || usage !== null,
    },
  }
}

/** The provider goes on with another model and says so between two blocks. */
function changeModel(state: MessagesState, block: JsonObject | null): MessagesState {
  const model = asText(asObject(block?.['to'])?.['model'])
  if (!state.message || block?.['type'] !== 'fallback' || model === null) return state
  return { ...state, message: { ...state.message, model } }
}

function readBody(body: JsonObject): MessagesState {
  const error = errorName(body['error'])
  if (error !== null) return { ...INITIAL, error }
  const problems: ResponseProblem[] = []
  const message = { ...readMessage(body, problems), isStopped: true, hasDeltaUsage: true }
  return { ...INITIAL, message, problems }
}

function isFinal(message: Message): boolean {
  return message.stopReason !== null || (message.isStopped && message.hasDeltaUsage)
}

function partsOf(message: Message, problems: ResponseProblem[]): UsagePart[] {
  const parts = anthropicParts(message.usage, message.model, problems)
  const known = isFinal(message) ? parts : parts.map(withoutZeros)
  return known.filter(({ tokens }) => tokens.input !== null || tokens.output !== null)
}

/** The start of a stream may say 0 where nothing has been counted yet. */
function withoutZeros(part: UsagePart): UsagePart {
  const { tokens } = part
  return {
    ...part,
    tokens: { ...tokens, input: tokens.input || null, output: tokens.output || null },
  }
}

function conclude(state: MessagesState, reason: EndReason): Omit<ResponseFacts, 'outputText'> {
  const problems = [...state.problems]
  const { message, error } = state
  const current = message ? partsOf(message, problems) : []
  const responseModel = message ? chargedModel(message.usage, message.model) : null
  const parts = withoutCommonModel([...state.earlier, ...current], responseModel)
  const isWhole = message !== null && isFinal(message) && current.length > 0 && !state.isSpliced
  if (current.length === 0 && reason === 'complete' && error === null) {
    note(problems, 'usage_missing')
  }
  return {
    responseId: message?.id ?? null,
    responseModel,
    serviceTier: message?.usage.serviceTier ?? null,
    finishReasons: message?.stopReason ? [message.stopReason] : [],
    parts,
    source: parts.length === 0 ? null : isWhole ? 'provider' : 'partial',
    problems,
    error,
  }
}
