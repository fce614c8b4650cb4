import { anthropicErrorType } from '../api-error.ts'
import { type BilledTokens, NO_TOKENS } from '../bill.ts'
import { ADVISOR_ASK_TOKENS } from '../compose.ts'
import type { Dialect, Reply, StreamStep } from '../reply.ts'
import { type Block, contentBlocks } from './anthropic-content.ts'
import { partSlices, sse } from './slices.ts'

const STOP = { stop: 'end_turn', length: 'max_tokens', tool: 'tool_use' } as const

export const anthropicMessages: Dialect = {
  whole(reply) {
    const content = contentBlocks(reply).map((block) => block.whole)
    return JSON.stringify({
      ...message(reply),
      content,
      stop_reason: stopReason(reply),
      usage: { ...finalUsage(reply), ...cacheSplit(reply.tokens), ...PLACE },
    })
  },

  *stream(reply, tokensPerEvent) {
    const started = { ...message(reply), content: [], stop_reason: null, usage: startUsage(reply) }
    yield {
      text: write('message_start', { message: started }),
      generatedTokens: 0,
      ...(reply.compaction ? { bills: { extra: reply.compaction } } : {}),
    }
    for (const [index, block] of contentBlocks(reply).entries()) {
      yield* blockSteps(block, index, tokensPerEvent)
    }
    const delta = { stop_reason: stopReason(reply), stop_sequence: null }
    const text = write('message_delta', { delta, usage: finalUsage(reply) })
    yield { text, generatedTokens: 0, ending: true, carriesUsage: true }
    yield { text: write('message_stop', {}), generatedTokens: 0, ending: true }
  },

  streamError() {
    return write('error', { error: { type: anthropicErrorType(529), message: 'Overloaded' } })
  },
}

const PLACE = { service_tier: 'standard', inference_geo: 'not_available' }

function write(type: string, fields: object): string {
  return sse({ type, ...fields }, type)
}

function stopReason(reply: Reply): string {
  return STOP[reply.plan.choices[0]?.finish ?? 'stop']
}

function message(reply: Reply) {
  return {
    model: reply.call.model.id,
    id: reply.responseId,
    type: 'message',
    role: 'assistant',
    stop_sequence: null,
  }
}

function* blockSteps(block: Block, index: number, tokensPerEvent: number): Generator<StreamStep> {
  const opening = write('content_block_start', { index, content_block: block.opening })
  const ping = index === 0 ? write('ping', {}) : ''
  yield {
    text: opening + ping,
    generatedTokens: 0,
    ...(block.bills ? { bills: block.bills } : {}),
  }
  if (block.streamed) {
    for (const slice of partSlices(block.streamed.part, tokensPerEvent)) {
      const delta = block.streamed.delta(slice.text)
      const text = write('content_block_delta', { index, delta })
      yield { text, generatedTokens: slice.tokens }
    }
  }
  const closing = block.closing ? write('content_block_delta', { index, delta: block.closing }) : ''
  yield { text: closing + write('content_block_stop', { index }), generatedTokens: 0 }
}

/** Input without what the cache had or took, as this provider states it. */
function inputUsage(tokens: BilledTokens) {
  const written = tokens.cacheWrite5m + tokens.cacheWrite1h
  return {
    input_tokens: tokens.input - tokens.cached - written,
    cache_creation_input_tokens: written,
    cache_read_input_tokens: tokens.cached,
  }
}

function cacheSplit(tokens: BilledTokens) {
  return {
    cache_creation: {
      ephemeral_5m_input_tokens: tokens.cacheWrite5m,
      ephemeral_1h_input_tokens: tokens.cacheWrite1h,
    },
  }
}

/** A stream states at its start what was read first: with a summary to write, the whole conversation. */
function startUsage(reply: Reply) {
  const { startTokens, compaction } = reply
  return {
    ...inputUsage(startTokens),
    ...(compaction ? { input_tokens: compaction.input } : {}),
    ...cacheSplit(startTokens),
    output_tokens: Math.min(1, reply.tokens.output),
    ...PLACE,
  }
}

function finalUsage(reply: Reply) {
  const { tokens, webSearches } = reply
  const iterations = usageIterations(reply)
  return {
    ...inputUsage(tokens),
    output_tokens: tokens.output,
    ...(tokens.reasoning > 0
      ? { output_tokens_details: { thinking_tokens: tokens.reasoning } }
      : {}),
    ...(webSearches > 0
      ? { server_tool_use: { web_search_requests: webSearches, web_fetch_requests: 0 } }
      : {}),
    ...(iterations.length > 0 ? { iterations } : {}),
  }
}

/** The single model runs behind a summary or an advised answer; the top level sums those of type `message`. */
function usageIterations(reply: Reply): object[] {
  const { advisor, compaction, startTokens, tokens } = reply
  if (!advisor && !compaction) return []
  const run = (type: string, input: BilledTokens, output: number, model?: string) => ({
    type,
    ...inputUsage(input),
    output_tokens: output,
    ...cacheSplit(input),
    ...(model === undefined ? {} : { model }),
  })
  const only = (input: number): BilledTokens => ({ ...NO_TOKENS, input })
  const summary = compaction ? [run('compaction', only(compaction.input), compaction.output)] : []
  if (!advisor) return [...summary, run('message', tokens, tokens.output)]
  const asked = Math.min(ADVISOR_ASK_TOKENS, tokens.output)
  return [
    ...summary,
    run('message', startTokens, asked),
    run('advisor_message', only(advisor.input), advisor.output, advisor.model),
    run('message', only(tokens.input - startTokens.input), tokens.output - asked),
  ]
}
