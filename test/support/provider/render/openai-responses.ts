import type { OutputPart } from '../plan.ts'
import type { Dialect, Reply, StreamStep } from '../reply.ts'
import { partSlices, silentSteps, sse } from './slices.ts'

const PADDING = 'Zm9vYmFyYmF6cXV4'

export const openaiResponses: Dialect = {
  whole(reply) {
    return JSON.stringify(finalResponse(reply))
  },

  *stream(reply, tokensPerEvent) {
    const write = eventWriter()
    const silent = (text: string): StreamStep => ({ text, generatedTokens: 0 })
    yield silent(write('response.created', { response: openResponse(reply) }))
    yield silent(write('response.in_progress', { response: openResponse(reply) }))
    const final = finalResponse(reply)
    for (const [output_index, item] of outputItems(reply).entries()) {
      yield silent(write('response.output_item.added', { output_index, item: item.opening }))
      yield* itemSteps(item, output_index, tokensPerEvent, write)
      yield silent(write('response.output_item.done', { output_index, item: item.done }))
    }
    const text = write(`response.${final.status}`, { response: final })
    yield { text, generatedTokens: 0, ending: true, carriesUsage: true }
  },

  streamError(reply) {
    const write = eventWriter()
    const error = {
      code: 'server_error',
      message: 'The server had an error while processing your request. Sorry about that!',
    }
    const failed = { ...openResponse(reply), status: 'failed', error }
    return (
      write('error', { type: 'server_error', ...error, param: null, error }) +
      write('response.failed', { response: failed })
    )
  },
}

type WriteEvent = (type: string, fields: object) => string

function eventWriter(): WriteEvent {
  let sequence = 0
  return (type, fields) => sse({ ...fields, type, sequence_number: sequence++ }, type)
}

type Item = {
  readonly id: string
  readonly part: OutputPart | null
  readonly silentTokens: number
  readonly opening: object
  readonly done: object
}

function outputItems(reply: Reply): Item[] {
  const [choice] = reply.plan.choices
  if (!choice) return []
  const parts = choice.parts.map((part, index) => outputItem(reply, part, index, choice.finish))
  return choice.reasoningTokens > 0
    ? [reasoningItem(reply, choice.reasoningTokens), ...parts]
    : parts
}

function reasoningItem(reply: Reply, silentTokens: number): Item {
  const id = `rs_${reply.responseId.slice(5)}`
  const item = { id, type: 'reasoning', summary: [] }
  return { id, part: null, silentTokens, opening: item, done: item }
}

function outputItem(reply: Reply, part: OutputPart, index: number, finish: string): Item {
  const status = finish === 'length' ? 'incomplete' : 'completed'
  const unique = `${reply.responseId.slice(5)}${index}`
  if (part.kind === 'tool') {
    const id = `fc_${unique}`
    const frame = { id, type: 'function_call', call_id: `call_${part.id}`, name: part.name }
    return {
      id,
      part,
      silentTokens: 0,
      opening: { ...frame, status: 'in_progress', arguments: '' },
      done: { ...frame, status, arguments: part.json },
    }
  }
  const id = `msg_${unique}`
  const frame = { id, type: 'message', role: 'assistant' }
  return {
    id,
    part,
    silentTokens: 0,
    opening: { ...frame, status: 'in_progress', content: [] },
    done: { ...frame, status, content: [textContent(part.text)] },
  }
}

function textContent(text: string): object {
  return { type: 'output_text', annotations: [], logprobs: [], text }
}

function* itemSteps(
  { id, part, silentTokens }: Item,
  output_index: number,
  tokensPerEvent: number,
  write: WriteEvent,
): Generator<StreamStep> {
  yield* silentSteps(silentTokens, tokensPerEvent)
  if (!part) return
  const textual = part.kind === 'text'
  const at = { item_id: id, output_index, ...(textual ? { content_index: 0 } : {}) }
  const name = textual ? 'response.output_text' : 'response.function_call_arguments'
  if (textual) {
    const text = write('response.content_part.added', { ...at, part: textContent('') })
    yield { text, generatedTokens: 0 }
  }
  for (const slice of partSlices(part, tokensPerEvent)) {
    const obfuscation = PADDING.slice(slice.text.length % 12)
    const delta = { ...at, delta: slice.text, ...(textual ? { logprobs: [] } : {}), obfuscation }
    yield { text: write(`${name}.delta`, delta), generatedTokens: slice.tokens }
  }
  const done = textual
    ? write(`${name}.done`, { ...at, text: part.text, logprobs: [] }) +
      write('response.content_part.done', { ...at, part: textContent(part.text) })
    : write(`${name}.done`, { ...at, name: part.name, arguments: part.json })
  yield { text: done, generatedTokens: 0 }
}

function openResponse(reply: Reply) {
  return {
    id: reply.responseId,
    object: 'response',
    created_at: reply.createdAtS,
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: reply.call.maxOutputTokens,
    model: reply.call.model.id,
    output: [],
    parallel_tool_calls: reply.call.parallelTools,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    service_tier: 'auto',
    store: true,
    temperature: 1,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: null,
    user: null,
    metadata: {},
  }
}

function finalResponse(reply: Reply) {
  const { tokens, plan } = reply
  const cut = plan.choices[0]?.finish === 'length'
  return {
    ...openResponse(reply),
    status: cut ? 'incomplete' : 'completed',
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output: outputItems(reply).map((item) => item.done),
    service_tier: reply.call.serviceTier ?? 'default',
    usage: {
      input_tokens: tokens.input,
      input_tokens_details: { cached_tokens: tokens.cached },
      output_tokens: tokens.output,
      output_tokens_details: { reasoning_tokens: tokens.reasoning },
      total_tokens: tokens.input + tokens.output,
    },
  }
}
