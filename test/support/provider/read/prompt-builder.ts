import type { Segment } from '../call.ts'
import { hashText, mixHash } from '../random.ts'
import type { Tokenizer } from '../tokenizer.ts'

/** Collects a prompt piece by piece: texts are measured, segments closed where a provider frames them. */
export class PromptBuilder {
  readonly segments: Segment[] = []
  hiddenTokens = 0
  readonly #tokenizer: Tokenizer
  readonly #scale: (tokens: number) => number
  #tokens = 0
  #hash = 0

  /** @param scale from o200k tokens to those of the provider's own tokenizer, for each text */
  constructor(tokenizer: Tokenizer, scale: (tokens: number) => number = (tokens) => tokens) {
    this.#tokenizer = tokenizer
    this.#scale = scale
  }

  text(text: string): void {
    const { tokens, hash } = this.#tokenizer.measure(text)
    this.#tokens += this.#scale(tokens)
    this.#hash = mixHash(this.#hash, hash)
  }

  /** Something billed by kind rather than by text, such as an image. */
  fixed(tokens: number, kind: string): void {
    this.#tokens += tokens
    this.#hash = mixHash(this.#hash, hashText(kind))
  }

  /** Ends the segment; `frame` are the hidden tokens around it. */
  close(frame: number, cacheTtl: Segment['cacheTtl'] = null): void {
    const tokens = this.#tokens + frame
    this.segments.push({ tokens, hash: this.#hash, cacheTtl })
    this.#tokens = 0
    this.#hash = 0
  }

  /** Forgets the segments since `length`: a summary stands for them. */
  dropFrom(length: number): void {
    this.segments.length = length
  }
}
