import { ApiError } from '../api-error.ts'
import type { Call, Segment, Tool, ToolUse } from '../call.ts'
import { asArray, asObject, asText, asWhole, type JsonObject } from '../json.ts'
import type { Model } from '../models.ts'
import { PromptBuilder } from './prompt-builder.ts'
import { effortFactor, findModel, missing, outputLimit, type ReadContext } from './shared.ts'

const REQUEST_FRAME = 5
const MESSAGE_FRAME = 3
const TOOL_FRAME = 10
/** The provider puts a system prompt of its own before tools, shorter where a tool must be used. */
const TOOL_PROMPT_TOKENS: Readonly<Record<ToolUse, number>> = {
  auto: 346,
  required: 313,
  none: 346,
}
const IMAGE_TOKENS = 1568
const MAX_BREAKPOINTS = 4
const LEAST_THINKING_BUDGET = 1024

/** Claude's own tokenizer makes more tokens of the same text: 28 for 25 of o200k. */
const claudeTokens = (tokens: number): number => Math.ceil((tokens * 28) / 25)

/** @throws {ApiError} */
export function readMessages(body: JsonObject, modelName: string, context: ReadContext): Call {
  const { models } = context.config
  const model = findModel(models, modelName, 'anthropic')
  const maxOutputTokens = outputLimit(body, 'max_tokens', model, 1)
  if (maxOutputTokens === null) throw missing('max_tokens')
  const tools = asArray(body['tools'])
    .map(asObject)
    .filter((tool) => tool !== null)
  const toolUse = readToolUse(asObject(body['tool_choice']))
  const ofType = (prefix: string) => tools.find((tool) => asText(tool['type'])?.startsWith(prefix))
  const search = ofType('web_search_')
  const advisor = asText(ofType('advisor_')?.['model'])
  return {
    endpoint: 'anthropic.messages',
    model,
    stream: body['stream'] === true,
    usageInStream: true,
    segments: readPrompt(body, tools, context),
    hiddenTokens: REQUEST_FRAME + (tools.length > 0 ? TOOL_PROMPT_TOKENS[toolUse] : 0),
    maxOutputTokens,
    choices: 1,
    tools: tools.flatMap(readTool),
    toolUse,
    parallelTools: asObject(body['tool_choice'])?.['disable_parallel_tool_use'] !== true,
    outputSchema: readOutputSchema(body),
    ...readThinking(body, model, maxOutputTokens),
    serviceTier: null,
    user: asText(asObject(body['metadata'])?.['user_id']),
    webSearchUses: search ? (asWhole(search['max_uses']) ?? 3) : 0,
    advisor: advisor === null ? null : findModel(models, advisor, 'anthropic'),
    compactAbove: readCompaction(body),
    embedding: null,
  }
}

function readPrompt(
  body: JsonObject,
  tools: readonly JsonObject[],
  context: ReadContext,
): Segment[] {
  const prompt = new PromptBuilder(context.tokenizer, claudeTokens)
  for (const tool of tools) {
    const { cache_control: cacheControl, ...described } = tool
    prompt.text(JSON.stringify(described))
    prompt.close(TOOL_FRAME, readTtl(cacheControl))
  }
  addBlocks(prompt, body['system'], 'system', 0)
  const messages = asArray(body['messages'])
  if (messages.length === 0) throw missing('messages')
  const beforeMessages = prompt.segments.length
  for (const value of messages) {
    const message = asObject(value) ?? {}
    const blocks = asArray(message['content'])
    const summarised = blocks.findLastIndex((block) => asObject(block)?.['type'] === 'compaction')
    if (summarised >= 0) prompt.dropFrom(beforeMessages)
    const content = summarised >= 0 ? blocks.slice(summarised) : message['content']
    addBlocks(prompt, content, asText(message['role']) ?? '', MESSAGE_FRAME)
  }
  return withBreakpoints(prompt.segments, readTtl(body['cache_control']))
}

/** A `cache_control` of the whole request puts a breakpoint behind its last block. */
function withBreakpoints(segments: Segment[], automatic: Segment['cacheTtl']): Segment[] {
  const last = segments.at(-1)
  if (automatic && last) segments[segments.length - 1] = { ...last, cacheTtl: automatic }
  if (segments.filter((segment) => segment.cacheTtl).length > MAX_BREAKPOINTS) {
    throw new ApiError(
      400,
      `A maximum of ${MAX_BREAKPOINTS} blocks with cache_control may be provided.`,
    )
  }
  return segments
}

function addBlocks(prompt: PromptBuilder, content: unknown, role: string, frame: number): void {
  if (typeof content === 'string') {
    prompt.fixed(0, role)
    prompt.text(content)
    return prompt.close(frame)
  }
  asArray(content).forEach((value, index) => {
    const block = asObject(value) ?? {}
    prompt.fixed(0, role)
    addBlock(prompt, block)
    prompt.close(index === 0 ? frame : 0, readTtl(block['cache_control']))
  })
}

function addBlock(prompt: PromptBuilder, block: JsonObject): void {
  switch (block['type']) {
    case 'image':
    case 'document':
      return prompt.fixed(IMAGE_TOKENS, JSON.stringify(block))
    // Thinking of earlier turns is not read again.
    case 'thinking':
    case 'redacted_thinking':
      return
    case 'tool_use':
    case 'server_tool_use':
      prompt.text(asText(block['name']) ?? '')
      return prompt.text(JSON.stringify(block['input'] ?? {}))
    default:
      addTexts(prompt, block)
  }
}

/** Text blocks, tool results and whatever else holds text, at any depth the API allows. */
function addTexts(prompt: PromptBuilder, block: JsonObject): void {
  const text = asText(block['text']) ?? asText(block['content'])
  if (text !== null) return prompt.text(text)
  for (const part of asArray(block['content'])) addBlock(prompt, asObject(part) ?? {})
}

function readTtl(cacheControl: unknown): Segment['cacheTtl'] {
  const control = asObject(cacheControl)
  if (!control) return null
  return control['ttl'] === '1h' ? '1h' : '5m'
}

function readTool(tool: JsonObject): Tool[] {
  const name = asText(tool['name'])
  const own = tool['type'] === undefined || tool['type'] === 'custom'
  return own && name !== null ? [{ name, schema: asObject(tool['input_schema']) }] : []
}

function readToolUse(choice: JsonObject | null): ToolUse {
  if (choice?.['type'] === 'none') return 'none'
  return choice?.['type'] === 'any' || choice?.['type'] === 'tool' ? 'required' : 'auto'
}

function readThinking(
  body: JsonObject,
  model: Model,
  maxTokens: number,
): Pick<Call, 'reasoningEffort' | 'reasoningBudget'> {
  const thinking = asObject(body['thinking'])
  const type = thinking?.['type']
  if (!thinking || (type !== 'enabled' && type !== 'adaptive')) {
    return { reasoningEffort: 0, reasoningBudget: null }
  }
  if (!model.reasoning) throw new ApiError(400, 'thinking: this model does not support thinking.')
  const reasoningEffort = effortFactor(asObject(body['output_config'])?.['effort'])
  if (type === 'adaptive') return { reasoningEffort, reasoningBudget: null }
  const budget = asWhole(thinking['budget_tokens'])
  if (budget === null || budget < LEAST_THINKING_BUDGET || budget >= maxTokens) {
    throw new ApiError(
      400,
      `thinking.budget_tokens: expected at least ${LEAST_THINKING_BUDGET} and less than max_tokens.`,
    )
  }
  return { reasoningEffort, reasoningBudget: budget }
}

function readOutputSchema(body: JsonObject): JsonObject | null {
  const format =
    asObject(body['output_format']) ?? asObject(asObject(body['output_config'])?.['format'])
  return format?.['type'] === 'json_schema' ? (asObject(format['schema']) ?? {}) : null
}

function readCompaction(body: JsonObject): number | null {
  const edits = asArray(asObject(body['context_management'])?.['edits'])
  const edit = edits.map(asObject).find((value) => asText(value?.['type'])?.startsWith('compact_'))
  if (!edit) return null
  return asWhole(asObject(edit['trigger'])?.['value']) ?? 150_000
}
