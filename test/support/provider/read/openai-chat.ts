import { ApiError } from '../api-error.ts'
import type { Call, Tool } from '../call.ts'
import { asArray, asObject, asText, asWhole, type JsonObject } from '../json.ts'
import { PromptBuilder } from './prompt-builder.ts'
import {
  effortFactor,
  findModel,
  grantedTier,
  missing,
  outputLimit,
  type ReadContext,
} from './shared.ts'

const REQUEST_FRAME = 3
const MESSAGE_FRAME = 4
const TOOLS_FRAME = 12
const TOOL_FRAME = 8
const TOOL_CALL_FRAME = 6
const IMAGE_TOKENS = { low: 85, high: 765 } as const

/** @throws {ApiError} */
export function readChat(body: JsonObject, modelName: string, context: ReadContext): Call {
  const model = findModel(context.config.models, modelName, 'openai')
  const messages = asArray(body['messages'])
  if (messages.length === 0) throw missing('messages')
  const tools = asArray(body['tools'])
    .map(asObject)
    .filter((tool) => tool !== null)
  const outputSchema = readOutputSchema(asObject(body['response_format']))
  const prompt = new PromptBuilder(context.tokenizer)
  addTools(prompt, tools, outputSchema)
  for (const message of messages) addMessage(prompt, asObject(message) ?? {})
  return {
    endpoint: 'openai.chat',
    model,
    stream: body['stream'] === true,
    usageInStream: readUsageWish(body, context.config.rejectStreamOptions),
    segments: prompt.segments,
    hiddenTokens: REQUEST_FRAME + (tools.length > 0 ? TOOLS_FRAME : 0),
    maxOutputTokens: chatLimit(
      body,
      model.reasoning,
      () =>
        outputLimit(body, 'max_completion_tokens', model, 1) ??
        outputLimit(body, 'max_tokens', model, 1),
    ),
    choices: asWhole(body['n']) ?? 1,
    tools: tools.flatMap(readTool),
    ...readToolChoice(body),
    outputSchema,
    reasoningEffort: model.reasoning ? effortFactor(body['reasoning_effort']) : 0,
    reasoningBudget: null,
    serviceTier: grantedTier(model, body['service_tier']),
    user: asText(body['user']) ?? asText(body['safety_identifier']),
    webSearchUses: 0,
    advisor: null,
    compactAbove: null,
    embedding: null,
  }
}

function chatLimit(body: JsonObject, reasoning: boolean, read: () => number | null): number | null {
  if (reasoning && body['max_tokens'] !== undefined && body['max_tokens'] !== null) {
    throw new ApiError(
      400,
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      { code: 'unsupported_parameter', parameter: 'max_tokens' },
    )
  }
  return read()
}

function readUsageWish(body: JsonObject, rejected: boolean): boolean {
  const options = body['stream_options']
  if (options === undefined || options === null) return false
  if (rejected) {
    throw new ApiError(400, "Unrecognized request argument supplied: 'stream_options'", {
      code: 'unknown_parameter',
      parameter: 'stream_options',
    })
  }
  if (body['stream'] !== true) {
    throw new ApiError(
      400,
      "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
      {
        parameter: 'stream_options',
      },
    )
  }
  return asObject(options)?.['include_usage'] === true
}

function addTools(
  prompt: PromptBuilder,
  tools: readonly JsonObject[],
  schema: JsonObject | null,
): void {
  for (const tool of tools) {
    prompt.text(JSON.stringify(tool['function'] ?? tool))
    prompt.close(TOOL_FRAME)
  }
  if (schema) {
    prompt.text(JSON.stringify(schema))
    prompt.close(TOOL_FRAME)
  }
}

function addMessage(prompt: PromptBuilder, message: JsonObject): void {
  prompt.fixed(0, asText(message['role']) ?? '')
  addContent(prompt, message['content'])
  const name = asText(message['name'])
  if (name !== null) prompt.text(name)
  for (const item of asArray(message['tool_calls'])) {
    const called = asObject(asObject(item)?.['function'])
    prompt.text(asText(called?.['name']) ?? '')
    prompt.text(asText(called?.['arguments']) ?? '')
    prompt.fixed(TOOL_CALL_FRAME, 'tool_call')
  }
  prompt.close(MESSAGE_FRAME)
}

function addContent(prompt: PromptBuilder, content: unknown): void {
  if (typeof content === 'string') return prompt.text(content)
  for (const item of asArray(content)) {
    const part = asObject(item)
    const text = asText(part?.['text']) ?? asText(part?.['refusal'])
    if (text !== null) prompt.text(text)
    else if (part?.['type'] === 'image_url') {
      const low = asObject(part['image_url'])?.['detail'] === 'low'
      prompt.fixed(low ? IMAGE_TOKENS.low : IMAGE_TOKENS.high, JSON.stringify(part))
    }
  }
}

function readTool(tool: JsonObject): Tool[] {
  const described = asObject(tool['function'])
  const name = asText(described?.['name'])
  return name === null ? [] : [{ name, schema: asObject(described?.['parameters']) }]
}

/** `tool_choice` as both OpenAI endpoints write it. */
export function readToolChoice(body: JsonObject): Pick<Call, 'toolUse' | 'parallelTools'> {
  const choice = body['tool_choice']
  const parallelTools = body['parallel_tool_calls'] !== false
  if (choice === 'none') return { toolUse: 'none', parallelTools }
  const forced = choice === 'required' || asObject(choice) !== null
  return { toolUse: forced ? 'required' : 'auto', parallelTools }
}

function readOutputSchema(format: JsonObject | null): JsonObject | null {
  if (format?.['type'] === 'json_schema') {
    return asObject(asObject(format['json_schema'])?.['schema']) ?? {}
  }
  return format?.['type'] === 'json_object' ? {} : null
}
