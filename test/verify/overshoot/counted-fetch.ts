import type { CounterAnswer, CounterAsk, CounterSettlement } from './shared-counter.ts'

// What a careful team writes for itself: a shared counter that is asked before each call and told after it.

const CHARACTERS_PER_TOKEN = 4

/** A `fetch` for the SDKs that lets a call out only where the counter lets it. */
export function countedFetch(counterUrl: string): typeof fetch {
  const tell = async (
    path: string,
    body: CounterAsk | CounterSettlement,
  ): Promise<CounterAnswer> => {
    const response = await fetch(counterUrl + path, { method: 'POST', body: JSON.stringify(body) })
    return (await response.json()) as CounterAnswer
  }
  return async (input, init) => {
    // The SDKs send JSON as a string.
    const text = typeof init?.body === 'string' ? init.body : ''
    const request = JSON.parse(text) as { stream?: boolean; max_tokens?: number; model: string }
    const answer = await tell('/ask', {
      inputTokens: Math.ceil(text.length / CHARACTERS_PER_TOKEN),
      maxTokens: request.max_tokens ?? null,
    })
    if (!answer.isAllowed) return refusal()
    const isOpenAiStream = request.stream === true && request.model.startsWith('gpt')
    const body = isOpenAiStream
      ? JSON.stringify({ ...request, stream_options: { include_usage: true } })
      : text
    const response = await fetch(input, { ...init, body })
    let seen = ''
    const watch = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        seen += Buffer.from(bytes).toString('latin1')
        controller.enqueue(bytes)
      },
      flush: async () => {
        await tell('/settle', { reserved: answer.reserved, ...usageIn(seen) })
      },
    })
    return new Response(response.body?.pipeThrough(watch), response)
  }
}

/** The last counts that a body or stream names: in streams they are those of the whole. */
function usageIn(text: string): { inputTokens: number; outputTokens: number } {
  const last = (name: RegExp) => Number([...text.matchAll(name)].at(-1)?.[1] ?? 0)
  return {
    inputTokens: last(/"(?:prompt_tokens|input_tokens)":(\d+)/g),
    outputTokens: last(/"(?:completion_tokens|output_tokens)":(\d+)/g),
  }
}

function refusal(): Response {
  const error = { message: 'the shared counter says no', type: 'insufficient_quota' }
  return Response.json({ error }, { status: 429, headers: { 'x-should-retry': 'false' } })
}
