import { UNKNOWN } from '@tokenfuse/protocol/names'
import type { Dialect, Endpoint } from './endpoint.ts'
import { asArray, asObject, asText, type JsonObject, parseObject } from './json.ts'
import { withMember } from './request-edit.ts'
import { type ToolCall, type ToolResult, toolsOfConversation } from './request-tools.ts'

/** What a request says that accounting and guarding need. */
export type RequestFacts = {
  /** As the app wrote it, or as the address names it; `unknown` where neither does. */
  readonly model: string
  readonly stream: boolean
  /** The output limit on the wire, a choice; `null` where there is none. */
  readonly maxOutputTokens: number | null
  /** Answers generated for the request, each up to the output limit. */
  readonly choices: number
  /** The app itself asked for usage at the end of the stream. */
  readonly asksForUsage: boolean
  /** Of the conversation so far, in order. */
  readonly toolCalls: readonly ToolCall[]
  readonly toolResults: readonly ToolResult[]
  /** `null` where the request is no JSON object. */
  readonly body: JsonObject | null
}

/** Members that limit the output, the one that wins first. */
const OUTPUT_LIMITS: Readonly<Record<Dialect, readonly string[]>> = {
  'openai.chat': ['max_completion_tokens', 'max_tokens'],
  'openai.responses': ['max_output_tokens'],
  'openai.completions': ['max_tokens'],
  'openai.embeddings': [],
  'anthropic.messages': ['max_tokens'],
}

/** Reads a request's body. Never throws: what cannot be read is as if it were not there. */
export function readRequest(
  endpoint: Pick<Endpoint, 'dialect' | 'modelInPath'>,
  bodyText: string,
): RequestFacts {
  const body = parseObject(bodyText)
  const { dialect, modelInPath } = endpoint
  const limits = OUTPUT_LIMITS[dialect].map((name) => wholeNumber(body?.[name]))
  const { toolCalls, toolResults } = toolsOfConversation(dialect, body ?? {})
  return {
    model: asText(body?.['model']) ?? modelInPath ?? UNKNOWN,
    stream: body?.['stream'] === true,
    maxOutputTokens: limits.find((limit) => limit !== null) ?? null,
    choices: choicesOf(dialect, body ?? {}),
    asksForUsage: asObject(body?.['stream_options'])?.['include_usage'] === true,
    toolCalls,
    toolResults,
    body,
  }
}

/** The body with `stream_options.include_usage` set, and nothing else of it changed. */
export function withUsageAsked(bodyText: string, facts: RequestFacts): string {
  if (!facts.body || facts.asksForUsage) return bodyText
  const options = { ...asObject(facts.body['stream_options']), include_usage: true }
  return withMember(bodyText, 'stream_options', JSON.stringify(options))
}

function choicesOf(dialect: Dialect, body: JsonObject): number {
  const n = wholeNumber(body['n']) ?? 1
  if (dialect === 'openai.chat') return n
  if (dialect !== 'openai.completions') return 1
  // `best_of` answers are generated and billed, `n` of them returned, for each of several prompts.
  const prompts = asArray(body['prompt']).filter((prompt) => typeof prompt !== 'number')
  return Math.max(1, prompts.length) * Math.max(n, wholeNumber(body['best_of']) ?? 1)
}

function wholeNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : null
}
