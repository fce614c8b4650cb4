import type { Dialect } from './endpoint.ts'
import { asArray, asObject, asText, type JsonObject } from './json.ts'

/** A tool that the model wanted called. `arguments` is JSON as the model, or the app, wrote it. */
export type ToolCall = { readonly id: string; readonly name: string; readonly arguments: string }

/** What the app answered to a call. Parts that are no text stand in `content` as JSON. */
export type ToolResult = {
  readonly id: string
  readonly content: string
  /** Only where the app says so; OpenAI's dialects have no word for it. */
  readonly isError: boolean
}

export type ConversationTools = {
  readonly toolCalls: readonly ToolCall[]
  readonly toolResults: readonly ToolResult[]
}

/** The tool calls of a conversation and their results, each in the order of the conversation. */
export function toolsOfConversation(dialect: Dialect, body: JsonObject): ConversationTools {
  const toolCalls: ToolCall[] = []
  const toolResults: ToolResult[] = []
  const read = READERS[dialect]
  for (const value of asArray(body[dialect === 'openai.responses' ? 'input' : 'messages'])) {
    const item = asObject(value)
    if (item) read?.(item, toolCalls, toolResults)
  }
  return { toolCalls, toolResults }
}

type ItemReader = (item: JsonObject, calls: ToolCall[], results: ToolResult[]) => void

const READERS: Readonly<Partial<Record<Dialect, ItemReader>>> = {
  'openai.chat': readChatMessage,
  'openai.responses': readResponsesItem,
  'anthropic.messages': readAnthropicMessage,
}

function readChatMessage(message: JsonObject, calls: ToolCall[], results: ToolResult[]): void {
  for (const value of asArray(message['tool_calls'])) {
    const call = asObject(value)
    const callee = asObject(call?.['function']) ?? asObject(call?.['custom'])
    if (!call || !callee) continue
    calls.push({
      id: asText(call['id']) ?? '',
      name: asText(callee['name']) ?? '',
      arguments: argumentsOf(callee['arguments'] ?? callee['input']),
    })
  }
  // The form before tools, where a call has no id: its name is all that ties the result to it.
  const legacyCall = asObject(message['function_call'])
  if (legacyCall) {
    const name = asText(legacyCall['name']) ?? ''
    calls.push({ id: name, name, arguments: argumentsOf(legacyCall['arguments']) })
  }
  const id = message['role'] === 'function' ? message['name'] : message['tool_call_id']
  if (message['role'] !== 'tool' && message['role'] !== 'function') return
  results.push({ id: asText(id) ?? '', content: textOf(message['content']), isError: false })
}

/** Every kind of call that the app itself answers has a `call_id`; its result is of the kind `..._output`. */
function readResponsesItem(item: JsonObject, calls: ToolCall[], results: ToolResult[]): void {
  const type = asText(item['type'])
  const id = asText(item['call_id'])
  if (type === null || id === null) return
  if (type.endsWith('_call_output')) {
    results.push({ id, content: textOf(item['output']), isError: false })
  } else if (type.endsWith('_call')) {
    const argument = item['arguments'] ?? item['input'] ?? item['action'] ?? item['operation']
    calls.push({ id, name: asText(item['name']) ?? type, arguments: argumentsOf(argument) })
  }
}

function readAnthropicMessage(message: JsonObject, calls: ToolCall[], results: ToolResult[]): void {
  for (const value of asArray(message['content'])) {
    const block = asObject(value)
    if (block?.['type'] === 'tool_use') {
      calls.push({
        id: asText(block['id']) ?? '',
        name: asText(block['name']) ?? '',
        arguments: argumentsOf(block['input']),
      })
    } else if (block?.['type'] === 'tool_result') {
      results.push({
        id: asText(block['tool_use_id']) ?? '',
        content: textOf(block['content']),
        isError: block['is_error'] === true,
      })
    }
  }
}

function argumentsOf(value: unknown): string {
  return typeof value === 'string' ? value : jsonOf(value)
}

/** A text as it is, the texts of several parts one after the other, anything else as JSON. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return jsonOf(value)
  return value.map((part: unknown) => asText(asObject(part)?.['text']) ?? jsonOf(part)).join('')
}

function jsonOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  try {
    return JSON.stringify(value)
  } catch {
    // Nested too deep to be written.
    return ''
  }
}
