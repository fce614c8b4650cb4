import type { Dialect } from '../providers/index.ts'

/** What a request makes a model read, as far as it is text. */
export type Segments = {
  readonly texts: readonly string[]
  /** Tokens that stand for no text: markers around messages, and input that came as token numbers. */
  readonly extraTokens: number
}

/** Around each message of a chat, and before the answer. */
const TOKENS_PER_MESSAGE = 3
const TOKENS_BEFORE_ANSWER = 3
const DEPTH_MAX = 32

type Json = Readonly<Record<string, unknown>>
type Collector = { texts: string[]; extraTokens: number }

/**
 * Takes the texts out of a request body: instructions, messages, tool calls and results, and the schemas of tools and
 * answers, which models read too. Images, sound and files have no text and are left out. Never throws.
 */
export function requestSegments(dialect: Dialect, body: Json): Segments {
  const into: Collector = { texts: [], extraTokens: 0 }
  if (dialect === 'openai.completions') collectPrompt(body['prompt'], into)
  else if (dialect === 'openai.embeddings') collectPrompt(body['input'], into)
  else {
    collectText(body['system'] ?? body['instructions'], into, 0)
    collectMessages(body['messages'] ?? body['input'], into)
    for (const schema of [
      body['tools'],
      body['functions'],
      body['response_format'],
      body['text'],
    ]) {
      collectSchema(schema, into)
    }
    into.extraTokens += TOKENS_BEFORE_ANSWER
  }
  return into
}

/** Of all texts together, in UTF-8. */
export function segmentBytes(segments: Segments): number {
  return segments.texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}

function collectMessages(messages: unknown, into: Collector): void {
  if (typeof messages === 'string') {
    into.texts.push(messages)
    into.extraTokens += TOKENS_PER_MESSAGE
    return
  }
  if (!Array.isArray(messages)) return
  for (const message of messages) {
    if (!isObject(message)) continue
    into.extraTokens += TOKENS_PER_MESSAGE
    if (typeof message['role'] === 'string') into.texts.push(message['role'])
    collectText(message, into, 0)
  }
}

/** Fields that hold what a model reads; `url`, `data` and the like hold what is not text. */
const TEXT_FIELDS = ['text', 'content', 'output', 'thinking', 'refusal', 'name', 'summary'] as const

function collectText(value: unknown, into: Collector, depth: number): void {
  if (depth > DEPTH_MAX) return
  if (typeof value === 'string') into.texts.push(value)
  else if (Array.isArray(value)) for (const item of value) collectText(item, into, depth + 1)
  else if (isObject(value)) {
    for (const field of TEXT_FIELDS) collectText(value[field], into, depth + 1)
    for (const field of ['arguments', 'input']) collectArguments(value[field], into)
    for (const field of ['tool_calls', 'function', 'function_call']) {
      collectText(value[field], into, depth + 1)
    }
  }
}

function collectArguments(value: unknown, into: Collector): void {
  if (typeof value === 'string') into.texts.push(value)
  else if (isObject(value)) into.texts.push(JSON.stringify(value))
}

function collectSchema(schema: unknown, into: Collector): void {
  if (Array.isArray(schema) ? schema.length > 0 : isObject(schema)) {
    into.texts.push(JSON.stringify(schema))
  }
}

/** A prompt is a text, texts, token numbers, or lists of token numbers. */
function collectPrompt(prompt: unknown, into: Collector): void {
  if (typeof prompt === 'string') into.texts.push(prompt)
  else if (Array.isArray(prompt)) {
    for (const item of prompt) {
      if (typeof item === 'string') into.texts.push(item)
      else into.extraTokens += Array.isArray(item) ? item.length : 1
    }
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
