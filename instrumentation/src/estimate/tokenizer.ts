import { Tiktoken } from 'js-tiktoken/lite'
import type { EncodingName } from './encoding.ts'
import { cutLongRuns } from './pieces.ts'

const encoders = new Map<EncodingName, Promise<Tiktoken>>()

/** Loads an encoding once; it takes half a second and tens of megabytes. */
export function loadEncoder(name: EncodingName): Promise<Tiktoken> {
  let encoder = encoders.get(name)
  if (encoder === undefined) encoders.set(name, (encoder = createEncoder(name)))
  return encoder
}

async function createEncoder(name: EncodingName): Promise<Tiktoken> {
  const ranks =
    name === 'o200k_base'
      ? await import('js-tiktoken/ranks/o200k_base')
      : await import('js-tiktoken/ranks/cl100k_base')
  return new Tiktoken(ranks.default)
}

/** Names of special tokens in a text are text here, as they are for a provider. */
export function countTokens(encoder: Tiktoken, text: string): number {
  let count = 0
  for (const piece of cutLongRuns(text)) count += encoder.encode(piece, [], []).length
  return count
}
