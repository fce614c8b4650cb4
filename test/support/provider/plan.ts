import type { Call, Tool } from './call.ts'
import type { ProviderConfig } from './config.ts'
import { fillSchema } from './fill-schema.ts'
import { newId } from './ids.ts'
import { drawLognormal, type Random } from './random.ts'
import type { ReplyScript } from './script.ts'
import type { Tokenizer } from './tokenizer.ts'
import { firstWords, wordsText } from './words.ts'

export type TextPart = {
  readonly kind: 'text'
  readonly text: string
  readonly tokens: number
  /** One token a word, so that any slice of words has a known count. */
  readonly wordwise: boolean
}
export type ToolPart = {
  readonly kind: 'tool'
  readonly id: string
  readonly name: string
  readonly json: string
  readonly tokens: number
}
export type OutputPart = TextPart | ToolPart

export type Choice = {
  readonly reasoningTokens: number
  readonly parts: readonly OutputPart[]
  readonly finish: 'stop' | 'length' | 'tool'
}

/** What the model will say, as if thought of at once. */
export type Plan = {
  readonly choices: readonly Choice[]
  readonly outputTokens: number
  readonly reasoningTokens: number
  /** What it would have said without a limit. */
  readonly wantedTokens: number
}

const TOOL_CALL_FRAME = 8
const SECOND_TOOL_RATE = 0.2

export type PlanContext = {
  readonly config: ProviderConfig
  readonly tokenizer: Tokenizer
  readonly random: Random
}

/** Draws the answer of each choice and cuts it at the request's limit, or at the model's own. */
export function planOutput(call: Call, script: ReplyScript, context: PlanContext): Plan {
  // A scripted length is what some model has really written.
  const modelLimit = script.output === undefined ? call.model.maxOutputTokens : Infinity
  const limit = call.maxOutputTokens ?? modelLimit
  const wanted = Array.from({ length: call.choices }, (_, index) =>
    drawChoice(call, shareOf(script, index, call.choices), context),
  )
  const choices = wanted.map((choice) => cutAtLimit(choice, limit))
  const sum = (list: readonly Choice[]) =>
    list.reduce((total, choice) => total + tokensOf(choice), 0)
  return {
    choices,
    outputTokens: sum(choices),
    reasoningTokens: choices.reduce((total, choice) => total + choice.reasoningTokens, 0),
    wantedTokens: sum(wanted),
  }
}

function tokensOf(choice: Choice): number {
  return choice.parts.reduce((total, part) => total + part.tokens, choice.reasoningTokens)
}

/** A scripted output is that of all choices together; the first ones take the remainder. */
function shareOf(script: ReplyScript, index: number, choices: number): ReplyScript {
  if (choices === 1) return script
  const share = (total: number) => Math.floor(total / choices) + (index < total % choices ? 1 : 0)
  return {
    ...script,
    ...(script.output === undefined ? {} : { output: share(script.output) }),
    ...(script.reasoning === undefined ? {} : { reasoning: share(script.reasoning) }),
  }
}

function drawChoice(call: Call, script: ReplyScript, context: PlanContext): Choice {
  const reasoningTokens = drawReasoning(call, script, context)
  const visible = script.output === undefined ? null : Math.max(0, script.output - reasoningTokens)
  const toolCalls =
    script.toolCalls?.map((tool) => toolPart(tool.name, JSON.stringify(tool.arguments), context)) ??
    (visible === null && script.text === undefined ? drawToolCalls(call, context) : [])
  const text = toolCalls.length > 0 ? [] : [textPart(call, script, visible, context)]
  const parts = [...text, ...toolCalls].filter((part) => part.tokens > 0)
  return {
    reasoningTokens,
    parts: visible === null ? parts : withTotal(parts, visible),
    finish: toolCalls.length > 0 ? 'tool' : 'stop',
  }
}

function drawReasoning(call: Call, script: ReplyScript, { config, random }: PlanContext): number {
  if (script.reasoning !== undefined) return script.reasoning
  if (script.output !== undefined || call.reasoningEffort === 0) return 0
  const drawn = Math.round(drawLognormal(random, config.reasoningTokens) * call.reasoningEffort)
  return Math.min(drawn, call.reasoningBudget ?? Infinity)
}

function drawToolCalls(call: Call, context: PlanContext): ToolPart[] {
  const { random, config } = context
  if (call.tools.length === 0 || call.toolUse === 'none') return []
  if (call.toolUse === 'auto' && random() >= config.toolCallRate) return []
  const count = call.parallelTools && random() < SECOND_TOOL_RATE ? 2 : 1
  return Array.from({ length: count }, () => {
    const tool = call.tools[Math.floor(random() * call.tools.length)] as Tool
    return toolPart(tool.name, JSON.stringify(fillSchema(tool.schema ?? {}, random)), context)
  })
}

function toolPart(name: string, json: string, { tokenizer }: PlanContext): ToolPart {
  const tokens = tokenizer.measure(name).tokens + tokenizer.measure(json).tokens + TOOL_CALL_FRAME
  return { kind: 'tool', id: newId(''), name, json, tokens }
}

function textPart(
  call: Call,
  script: ReplyScript,
  visible: number | null,
  { config, tokenizer, random }: PlanContext,
): TextPart {
  const written =
    script.text ??
    (call.outputSchema && visible === null
      ? JSON.stringify(fillSchema(call.outputSchema, random))
      : null)
  if (written !== null) {
    const tokens = tokenizer.measure(written).tokens
    return { kind: 'text', text: written, tokens, wordwise: false }
  }
  // Nothing longer than the model can write need be drawn.
  const drawn = Math.max(1, Math.round(drawLognormal(random, config.outputTokens)))
  const tokens = visible ?? Math.min(drawn, call.model.maxOutputTokens)
  return { kind: 'text', text: wordsText(tokens, random), tokens, wordwise: true }
}

/** Spreads a scripted total over the parts; the last takes the remainder. */
function withTotal(parts: readonly OutputPart[], total: number): OutputPart[] {
  const share = Math.floor(total / parts.length)
  return parts.map((part, index) => {
    const last = index === parts.length - 1
    return { ...part, tokens: last ? total - share * index : share }
  })
}

function cutAtLimit(choice: Choice, limit: number): Choice {
  if (tokensOf(choice) <= limit) return choice
  const reasoningTokens = Math.min(choice.reasoningTokens, limit)
  let left = limit - reasoningTokens
  const parts: OutputPart[] = []
  for (const part of choice.parts) {
    if (left === 0) break
    const kept = part.tokens <= left ? part : cutPart(part, left)
    parts.push(kept)
    left -= kept.tokens
  }
  return { reasoningTokens, parts, finish: 'length' }
}

function cutPart(part: OutputPart, tokens: number): OutputPart {
  const share = tokens / part.tokens
  if (part.kind === 'tool') {
    return { ...part, tokens, json: part.json.slice(0, Math.floor(part.json.length * share)) }
  }
  const text = part.wordwise
    ? firstWords(part.text, tokens)
    : part.text.slice(0, Math.floor(part.text.length * share))
  return { ...part, tokens, text }
}
