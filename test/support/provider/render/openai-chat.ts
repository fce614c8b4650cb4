import type { Choice, OutputPart } from '../plan.ts'
import type { Dialect, Reply, StreamStep } from '../reply.ts'
import { partSlices, silentSteps, sse } from './slices.ts'

const FINISH = { stop: 'stop', length: 'length', tool: 'tool_calls' } as const
const FINGERPRINT = 'fp_5ca1ab1e00'
const PADDING = 'Zm9vYmFyYmF6cXV4'

export const openaiChat: Dialect = {
  whole(reply) {
    return JSON.stringify({
      id: reply.responseId,
      object: 'chat.completion',
      created: reply.createdAtS,
      model: reply.call.model.id,
      choices: reply.plan.choices.map((choice, index) => ({
        index,
        message: message(choice),
        logprobs: null,
        finish_reason: FINISH[choice.finish],
      })),
      usage: usage(reply),
      service_tier: reply.call.serviceTier ?? 'default',
      system_fingerprint: FINGERPRINT,
    })
  },

  *stream(reply, tokensPerEvent) {
    const write = chunkWriter(reply)
    const turns = reply.plan.choices.map((choice, index) =>
      choiceSteps(choice, index, tokensPerEvent, write),
    )
    // Choices take turns, as they do on the wire.
    while (turns.length > 0) {
      for (const turn of [...turns]) {
        const step = turn.next()
        if (step.done) turns.splice(turns.indexOf(turn), 1)
        else yield step.value
      }
    }
    if (reply.call.usageInStream) {
      const text = sse({ ...frame(reply), choices: [], usage: usage(reply), obfuscation: PADDING })
      yield { text, generatedTokens: 0, ending: true, carriesUsage: true }
    }
    yield { text: 'data: [DONE]\n\n', generatedTokens: 0, ending: true }
  },

  streamError() {
    const message = 'The server had an error while processing your request. Sorry about that!'
    return sse({ error: { message, type: 'server_error', param: null, code: null } })
  },
}

function message(choice: Choice): unknown {
  const text = choice.parts.filter((part) => part.kind === 'text')
  const calls = choice.parts.filter((part) => part.kind === 'tool')
  return {
    role: 'assistant',
    content:
      text.length > 0 ? text.map((part) => part.text).join('') : calls.length > 0 ? null : '',
    refusal: null,
    annotations: [],
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map((part) => ({
            id: `call_${part.id}`,
            type: 'function',
            function: { name: part.name, arguments: part.json },
          })),
        }),
  }
}

function usage({ tokens }: Reply): unknown {
  return {
    prompt_tokens: tokens.input,
    completion_tokens: tokens.output,
    total_tokens: tokens.input + tokens.output,
    prompt_tokens_details: { cached_tokens: tokens.cached, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: tokens.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}

function frame(reply: Reply) {
  return {
    id: reply.responseId,
    object: 'chat.completion.chunk',
    created: reply.createdAtS,
    model: reply.call.model.id,
    service_tier: reply.call.serviceTier ?? 'default',
    system_fingerprint: FINGERPRINT,
  }
}

type WriteChunk = (index: number, delta: unknown, finish: string | null) => string

/** Writes chunks around a frame that is put into JSON only once: streams are long. */
function chunkWriter(reply: Reply): WriteChunk {
  const head = `data: ${JSON.stringify(frame(reply)).slice(0, -1)},"choices":[{"index":`
  // With include_usage every chunk before the last says that it has none.
  const nothing = reply.call.usageInStream ? ',"usage":null' : ''
  return (index, delta, finish) => {
    const deltaJson = JSON.stringify(delta)
    const padding = PADDING.slice(deltaJson.length % 12)
    return (
      `${head}${index},"delta":${deltaJson},"logprobs":null,` +
      `"finish_reason":${JSON.stringify(finish)}}]${nothing},"obfuscation":"${padding}"}\n\n`
    )
  }
}

function* choiceSteps(
  choice: Choice,
  index: number,
  tokensPerEvent: number,
  write: WriteChunk,
): Generator<StreamStep> {
  const opening = { role: 'assistant', content: '', refusal: null }
  yield { text: write(index, opening, null), generatedTokens: 0 }
  yield* silentSteps(choice.reasoningTokens, tokensPerEvent)
  let toolIndex = 0
  for (const part of choice.parts) {
    if (part.kind === 'tool') yield toolOpening(part, index, toolIndex, write)
    for (const slice of partSlices(part, tokensPerEvent)) {
      const delta =
        part.kind === 'text'
          ? { content: slice.text }
          : { tool_calls: [{ index: toolIndex, function: { arguments: slice.text } }] }
      yield { text: write(index, delta, null), generatedTokens: slice.tokens }
    }
    if (part.kind === 'tool') toolIndex++
  }
  yield { text: write(index, {}, FINISH[choice.finish]), generatedTokens: 0 }
}

function toolOpening(
  part: OutputPart & { kind: 'tool' },
  index: number,
  toolIndex: number,
  write: WriteChunk,
): StreamStep {
  const call = {
    index: toolIndex,
    id: `call_${part.id}`,
    type: 'function',
    function: { name: part.name, arguments: '' },
  }
  return { text: write(index, { tool_calls: [call] }, null), generatedTokens: 0 }
}
