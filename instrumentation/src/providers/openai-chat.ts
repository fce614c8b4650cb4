import type { DialectRules, EndReason, Glance, ResponseFacts } from './dialect-rules.ts'
import { asArray, asObject, asText, errorName, type JsonObject } from './json.ts'
import { hasMember } from './json-text.ts'
import {
  mergeOpenAiUsage,
  NO_OPENAI_USAGE,
  type OpenAiCounting,
  openAiTokens,
  type OpenAiUsage,
} from './openai-usage.ts'
import { note, type ResponseProblem } from './problems.ts'

/** So many events are parsed in search of the model's name, which is in the first but for Azure. */
const MAX_EVENTS_FOR_MODEL = 16

type ChatState = {
  readonly responseId: string | null
  readonly responseModel: string | null
  readonly serviceTier: string | null
  readonly finishReasons: ReadonlyMap<number, string>
  readonly usage: OpenAiUsage
  readonly hasUsage: boolean
  /** The usage came on an event without choices: the last of a stream. */
  readonly hasUsageAlone: boolean
  readonly eventCount: number
  readonly error: string | null
  readonly problems: readonly ResponseProblem[]
}

const INITIAL: ChatState = {
  responseId: null,
  responseModel: null,
  serviceTier: null,
  finishReasons: new Map(),
  usage: NO_OPENAI_USAGE,
  hasUsage: false,
  hasUsageAlone: false,
  eventCount: 0,
  error: null,
  problems: [],
}

const CHAT_TEXT = ['content"', 'arguments"', 'refusal"', 'reasoning"']
const COMPLETION_TEXT = ['text"']

/** Chat completions, completions and embeddings: one usage object, in a stream on one of the last events. */
export function openAiChatRules(
  dialect: 'openai.chat' | 'openai.completions' | 'openai.embeddings',
  provider: string,
): DialectRules<ChatState> {
  const counting: OpenAiCounting = {
    countsApart: dialect === 'openai.chat' && provider === 'x_ai',
    hasNoOutput: dialect === 'openai.embeddings',
  }
  const textNames = dialect === 'openai.completions' ? COMPLETION_TEXT : CHAT_TEXT
  const change: Glance = { mayChange: true, textNames }
  const textOnly: Glance = { mayChange: false, textNames }
  return {
    initial: INITIAL,
    glance: (state, data) => (mayChange(state, data) ? change : textOnly),
    reduce,
    readBody: (body) => reduce(INITIAL, body),
    bodyTextNames: dialect === 'openai.embeddings' ? [] : textNames,
    conclude: (state, reason) => conclude(state, reason, counting),
  }
}

function mayChange(state: ChatState, data: string): boolean {
  if (state.responseModel === null && state.eventCount < MAX_EVENTS_FOR_MODEL) return true
  // `"usage":null` is on every event of a stream that will have one.
  return (
    hasMember(data, 'usage"', '{') ||
    hasMember(data, 'finish_reason"', '"') ||
    data.startsWith('{"error"') ||
    data.startsWith('{"object":"error"')
  )
}

function reduce(state: ChatState, event: JsonObject): ChatState {
  const problems = [...state.problems]
  const choices = asArray(event['choices'])
  // Groq gives the same numbers twice.
  const usage = asObject(event['usage']) ?? asObject(asObject(event['x_groq'])?.['usage'])
  const isError = event['object'] === 'error'
  return {
    responseId: asText(event['id']) ?? state.responseId,
    responseModel: asText(event['model']) ?? state.responseModel,
    serviceTier: asText(event['service_tier']) ?? state.serviceTier,
    finishReasons: mergeFinishReasons(state.finishReasons, choices),
    usage: usage ? mergeOpenAiUsage(state.usage, usage, problems) : state.usage,
    hasUsage: state.hasUsage || usage !== null,
    hasUsageAlone: state.hasUsageAlone || (usage !== null && choices.length === 0),
    eventCount: state.eventCount + 1,
    error: errorName(isError ? event : event['error']) ?? state.error,
    problems,
  }
}

function mergeFinishReasons(
  known: ReadonlyMap<number, string>,
  choices: readonly unknown[],
): ReadonlyMap<number, string> {
  let merged: Map<number, string> | null = null
  for (const [position, value] of choices.entries()) {
    const choice = asObject(value)
    const reason = asText(choice?.['finish_reason'])
    if (!choice || reason === null) continue
    const index = typeof choice['index'] === 'number' ? choice['index'] : position
    merged ??= new Map(known)
    merged.set(index, reason)
  }
  return merged ?? known
}

function conclude(
  state: ChatState,
  reason: EndReason,
  counting: OpenAiCounting,
): Omit<ResponseFacts, 'outputText'> {
  const problems = [...state.problems]
  const { responseId, responseModel, serviceTier, finishReasons, error } = state
  const tokens = openAiTokens(state.usage, counting, problems)
  const isKnown = tokens.input !== null || tokens.output !== null
  // Some servers send a running count with every event: until a choice has finished, it is not final.
  const isFinal = reason === 'complete' || state.hasUsageAlone || finishReasons.size > 0
  if (!isKnown && reason === 'complete' && error === null) note(problems, 'usage_missing')
  return {
    responseId,
    responseModel,
    serviceTier,
    finishReasons: [...finishReasons].sort(([a], [b]) => a - b).map(([, finish]) => finish),
    parts: isKnown ? [{ part: 'message', model: null, tokens, webSearches: 0 }] : [],
    source: isKnown ? (isFinal ? 'provider' : 'partial') : null,
    problems,
    error,
  }
}
