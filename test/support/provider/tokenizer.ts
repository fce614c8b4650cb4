import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { hashText, mixHash } from './random.ts'

export type TextFacts = { readonly tokens: number; readonly hash: number }

const PIECE_CHARS = 1024
/** Byte-pair merging takes quadratic time on a run without white space; longer runs are cut. */
const MAX_RUN_CHARS = 256
const MAX_CACHED_CHARS = 32 * 1024 * 1024
const SPACE = 32
/** Text is only text: `<|endoftext|>` in a prompt is seven tokens, not an error. */
const PLAIN_TEXT = { disallowedSpecial: new Set<string>() }

/**
 * Counts o200k tokens. Agents send the same texts again and again, so the counts of pieces of about 1,024
 * characters are kept. Pieces end where o200k never joins two tokens (before a space between letters), so that
 * their counts add up to that of the whole; only a run of over 256 characters without a space may count a
 * token more for each cut.
 */
export class Tokenizer {
  readonly #known = new Map<string, TextFacts>()
  #cachedChars = 0
  #clears = 0

  measure(text: string): TextFacts {
    if (text.length <= MAX_RUN_CHARS) return this.#piece(text)
    let tokens = 0
    let hash = text.length
    for (let from = 0; from < text.length;) {
      const until = pieceEnd(text, from)
      const piece = this.#piece(text.slice(from, until))
      tokens += piece.tokens
      hash = mixHash(hash, piece.hash)
      from = until
    }
    return { tokens, hash }
  }

  stats(): { texts: number; chars: number; clears: number } {
    return { texts: this.#known.size, chars: this.#cachedChars, clears: this.#clears }
  }

  #piece(text: string): TextFacts {
    const known = this.#known.get(text)
    if (known) return known
    const facts = { tokens: countTokens(text, PLAIN_TEXT), hash: hashText(text) }
    if (this.#cachedChars + text.length > MAX_CACHED_CHARS) {
      this.#known.clear()
      this.#cachedChars = 0
      this.#clears++
    }
    // A slice would keep the whole request body alive; a copy does not.
    this.#known.set(Buffer.from(text).toString(), facts)
    this.#cachedChars += text.length
    return facts
  }
}

function pieceEnd(text: string, from: number): number {
  let runStart = from
  for (let index = from + 1; index < text.length; index++) {
    if (text.charCodeAt(index) <= SPACE) {
      const longEnough = index - from >= PIECE_CHARS
      if (longEnough && isLetter(text, index - 1) && isSafeCut(text, index)) return index
      runStart = index
    } else if (index - runStart >= MAX_RUN_CHARS) {
      return index
    }
  }
  return text.length
}

function isSafeCut(text: string, index: number): boolean {
  return text.charCodeAt(index) === SPACE && isLetter(text, index + 1)
}

function isLetter(text: string, index: number): boolean {
  const lower = text.charCodeAt(index) | 32
  return lower >= 97 && lower <= 122
}
