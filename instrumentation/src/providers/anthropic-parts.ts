import type { TokenCounts, UsagePart } from '@tokenfuse/protocol/names'
import {
  type AnthropicCounts,
  type AnthropicIteration,
  type AnthropicUsage,
  anthropicTokens,
  sumOfCounts,
} from './anthropic-usage.ts'
import { note, type ResponseProblem } from './problems.ts'

/** Kinds of iteration whose tokens are not in the top level of a usage object. */
const OUTSIDE_TOP_LEVEL = new Set<string | null>(['compaction', 'advisor_message'])

/**
 * What one message is charged.
 * - Without iterations: its top level.
 * - Compaction and advisor are charged beside it; an advisor is another model.
 * - Message iterations add up to the top level and are charged one by one, since a price may depend on a request's
 *   length. Where they do not add up, their sum is charged, with the cache counts of the top level.
 * - After a fallback to another model the top level is that model's, and the refused attempts are not charged.
 * @param model the model that the message names
 */
export function anthropicParts(
  usage: AnthropicUsage,
  model: string | null,
  problems: ResponseProblem[],
): UsagePart[] {
  const { iterations } = usage
  const parts: UsagePart[] = []
  for (const { type, counts, model: ownModel } of iterations) {
    if (!OUTSIDE_TOP_LEVEL.has(type)) continue
    const part = type === 'compaction' ? 'compaction' : 'advisor'
    parts.push({ part, model: ownModel ?? model, tokens: tokens(counts, problems), webSearches: 0 })
  }
  const messages = hasFallback(iterations)
    ? [{ type: 'message', model: chargedModel(usage, model), counts: usage.counts }]
    : messageIterations(usage, problems)
  const messageParts = messages.map(({ counts, model: ownModel }, position): UsagePart => {
    const webSearches = position === 0 ? (usage.webSearches ?? 0) : 0
    return {
      part: 'message',
      model: ownModel ?? model,
      tokens: tokens(counts, problems),
      webSearches,
    }
  })
  return [...messageParts, ...parts]
}

/** The model that answered: that of the last fallback, where there was one. */
export function chargedModel(usage: AnthropicUsage, model: string | null): string | null {
  const fallback = usage.iterations.findLast(({ type }) => type === 'fallback_message')
  return fallback?.model ?? model
}

function hasFallback(iterations: readonly AnthropicIteration[]): boolean {
  return iterations.some(({ type }) => type === 'fallback_message')
}

function messageIterations(
  usage: AnthropicUsage,
  problems: ResponseProblem[],
): readonly AnthropicIteration[] {
  const messages = usage.iterations.filter(({ type }) => !OUTSIDE_TOP_LEVEL.has(type))
  const whole: AnthropicIteration = { type: 'message', model: null, counts: usage.counts }
  if (messages.length === 0) return [whole]
  if (messages.some(({ type }) => type !== 'message')) note(problems, 'iteration_unknown')
  const sum = sumOfCounts(messages.map(({ counts }) => counts))
  if (addUp(sum, usage.counts)) return withThinking(messages, usage.counts)
  note(problems, 'iterations_mismatch')
  const { input, output } = sum
  return [{ ...whole, counts: { ...usage.counts, input, output } }]
}

function addUp(sum: AnthropicCounts, topLevel: AnthropicCounts): boolean {
  const fields = ['input', 'cacheRead', 'cacheCreation', 'output'] as const
  return fields.every((field) => (sum[field] ?? 0) === (topLevel[field] ?? 0))
}

/** Thinking is counted at the top level alone; the iteration that generated most takes it, as it changes no price. */
function withThinking(
  messages: readonly AnthropicIteration[],
  { thinking }: AnthropicCounts,
): readonly AnthropicIteration[] {
  if (thinking === null) return messages
  const outputOf = ({ counts }: AnthropicIteration) => counts.output ?? 0
  const largest = messages.reduce((a, b) => (outputOf(b) > outputOf(a) ? b : a))
  return messages.map((message) =>
    message === largest ? { ...message, counts: { ...message.counts, thinking } } : message,
  )
}

function tokens(counts: AnthropicCounts, problems: ResponseProblem[]): TokenCounts {
  const normal = anthropicTokens(counts)
  if (normal.output === null || (normal.reasoning ?? 0) <= normal.output) return normal
  note(problems, 'reasoning_exceeds_output')
  return { ...normal, reasoning: normal.output }
}
