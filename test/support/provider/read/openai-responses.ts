import type { Call, Segment, Tool } from '../call.ts'
import { ApiError } from '../api-error.ts'
import { asArray, asObject, asText, type JsonObject } from '../json.ts'
import { readToolChoice } from './openai-chat.ts'
import { PromptBuilder } from './prompt-builder.ts'
import {
  effortFactor,
  findModel,
  grantedTier,
  missing,
  outputLimit,
  type ReadContext,
} from './shared.ts'

const REQUEST_FRAME = 4
const ITEM_FRAME = 4
const TOOLS_FRAME = 14
const TOOL_FRAME = 9
const IMAGE_TOKENS = 765
/** The provider refuses lower limits here, not at chat completions. */
const LEAST_OUTPUT_LIMIT = 16

/** The prompt of an earlier response with its answer, which `previous_response_id` puts before the new input. */
export type Conversation = (responseId: string) => readonly Segment[] | null

/** @throws {ApiError} */
export function readResponses(
  body: JsonObject,
  modelName: string,
  context: ReadContext,
  earlier: Conversation,
): Call {
  const model = findModel(context.config.models, modelName, 'openai')
  const tools = asArray(body['tools'])
    .map(asObject)
    .filter((tool) => tool !== null)
  const format = asObject(asObject(body['text'])?.['format'])
  const outputSchema =
    format && format['type'] !== 'text' ? (asObject(format['schema']) ?? {}) : null
  const prompt = new PromptBuilder(context.tokenizer)
  for (const described of outputSchema ? [...tools, outputSchema] : tools) {
    prompt.text(JSON.stringify(described))
    prompt.close(TOOL_FRAME)
  }
  const instructions = asText(body['instructions'])
  if (instructions !== null) {
    prompt.text(instructions)
    prompt.close(ITEM_FRAME)
  }
  const before = readPrevious(body, earlier)
  const frame = prompt.segments.length
  addInput(prompt, body['input'])
  return {
    endpoint: 'openai.responses',
    model,
    stream: body['stream'] === true,
    usageInStream: true,
    segments: [...prompt.segments.slice(0, frame), ...before, ...prompt.segments.slice(frame)],
    hiddenTokens: REQUEST_FRAME + (tools.length > 0 ? TOOLS_FRAME : 0),
    maxOutputTokens: outputLimit(body, 'max_output_tokens', model, LEAST_OUTPUT_LIMIT),
    choices: 1,
    tools: tools.flatMap(readTool),
    ...readToolChoice(body),
    outputSchema,
    reasoningEffort: model.reasoning ? effortFactor(asObject(body['reasoning'])?.['effort']) : 0,
    reasoningBudget: null,
    serviceTier: grantedTier(model, body['service_tier']),
    user: asText(body['user']) ?? asText(body['safety_identifier']),
    webSearchUses: 0,
    advisor: null,
    compactAbove: null,
    embedding: null,
  }
}

function readPrevious(body: JsonObject, earlier: Conversation): readonly Segment[] {
  const id = asText(body['previous_response_id'])
  if (id === null) return []
  const segments = earlier(id)
  if (segments) return segments
  throw new ApiError(400, `Previous response with id '${id}' not found.`, {
    code: 'previous_response_not_found',
    parameter: 'previous_response_id',
  })
}

function addInput(prompt: PromptBuilder, input: unknown): void {
  if (typeof input === 'string') {
    prompt.text(input)
    return prompt.close(ITEM_FRAME)
  }
  const items = asArray(input)
  if (items.length === 0) throw missing('input')
  for (const value of items) {
    const item = asObject(value) ?? {}
    prompt.fixed(0, asText(item['role']) ?? asText(item['type']) ?? '')
    addContent(prompt, item['content'])
    for (const field of ['name', 'arguments', 'output', 'input'] as const) {
      const text = asText(item[field])
      if (text !== null) prompt.text(text)
    }
    prompt.close(ITEM_FRAME)
  }
}

function addContent(prompt: PromptBuilder, content: unknown): void {
  if (typeof content === 'string') return prompt.text(content)
  for (const value of asArray(content)) {
    const part = asObject(value)
    const text = asText(part?.['text'])
    if (text !== null) prompt.text(text)
    else if (part?.['type'] === 'input_image') prompt.fixed(IMAGE_TOKENS, JSON.stringify(part))
  }
}

function readTool(tool: JsonObject): Tool[] {
  const name = asText(tool['name'])
  if (tool['type'] !== 'function' || name === null) return []
  return [{ name, schema: asObject(tool['parameters']) }]
}
