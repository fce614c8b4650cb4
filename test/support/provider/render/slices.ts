import type { StreamStep } from '../reply.ts'
import type { OutputPart } from '../plan.ts'
import { wordSlices } from '../words.ts'

export type Slice = { readonly text: string; readonly tokens: number }

/** Cuts a part into what single events carry. Texts join to the part's, tokens add up to its count. */
export function* partSlices(part: OutputPart, tokensPerEvent: number): Generator<Slice> {
  if (part.kind === 'text' && part.wordwise) {
    for (const { text, words } of wordSlices(part.text, tokensPerEvent)) {
      yield { text, tokens: words }
    }
    return
  }
  const text = part.kind === 'text' ? part.text : part.json
  const count = Math.max(1, Math.ceil(part.tokens / tokensPerEvent))
  for (let index = 0; index < count; index++) {
    const at = (total: number, position: number) => Math.floor((total * position) / count)
    yield {
      text: text.slice(at(text.length, index), at(text.length, index + 1)),
      tokens: at(part.tokens, index + 1) - at(part.tokens, index),
    }
  }
}

/** Steps in which the model thinks and nothing is sent. */
export function* silentSteps(tokens: number, tokensPerEvent: number): Generator<StreamStep> {
  for (let left = tokens; left > 0; left -= tokensPerEvent) {
    yield { text: '', generatedTokens: Math.min(left, tokensPerEvent) }
  }
}

/** `data: {...}` as server-sent event; `name` as its `event:` line where the provider sends one. */
export function sse(data: unknown, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`
}
