import type { Call } from './call.ts'
import { hashText, mixHash } from './random.ts'

/** Input by price. `input` is the whole; the other three are parts of it. */
export type InputTokens = {
  readonly input: number
  readonly cached: number
  readonly cacheWrite5m: number
  readonly cacheWrite1h: number
}

const MAX_PREFIXES = 200_000
/** OpenAI caches in steps of this many tokens. */
const CACHE_STEP_TOKENS = 128

/** Remembers which prompts began how, and says what of the next one is read from or written to the cache. */
export class PromptCache {
  /** Hashes of prefixes, oldest first. */
  readonly #prefixes = new Set<number>()

  /** Splits the call's input, and remembers its prefixes for later calls. */
  admit(call: Call): InputTokens {
    const ends = prefixEnds(call)
    const input = call.hiddenTokens + (ends.at(-1)?.tokens ?? 0)
    const split =
      call.model.family === 'anthropic'
        ? this.#explicit(ends, call.model.minCacheTokens)
        : this.#automatic(ends, call.model.minCacheTokens)
    return { input, ...split }
  }

  clear(): void {
    this.#prefixes.clear()
  }

  /** OpenAI: the longest prefix seen before, without being asked; writing costs nothing. */
  #automatic(ends: readonly PrefixEnd[], minTokens: number): Omit<InputTokens, 'input'> {
    const longest = ends.findLast((end) => this.#prefixes.has(end.hash))
    const seen = longest && longest.tokens >= minTokens ? longest.tokens : 0
    for (const end of ends) if (end.tokens >= minTokens) this.#remember(end.hash)
    const cached = Math.floor(seen / CACHE_STEP_TOKENS) * CACHE_STEP_TOKENS
    return { cached, cacheWrite5m: 0, cacheWrite1h: 0 }
  }

  /** Anthropic: what ends at a breakpoint is read where it was written before, and else written. */
  #explicit(ends: readonly PrefixEnd[], minTokens: number): Omit<InputTokens, 'input'> {
    const breakpoints = ends.filter((end) => end.cacheTtl !== null && end.tokens >= minTokens)
    if (breakpoints.length === 0) return { cached: 0, cacheWrite5m: 0, cacheWrite1h: 0 }
    const last = breakpoints.at(-1) as PrefixEnd
    const read = ends.findLast((end) => end.tokens <= last.tokens && this.#prefixes.has(end.hash))
    let written = read?.tokens ?? 0
    const writes = { '5m': 0, '1h': 0 }
    for (const { hash, tokens, cacheTtl } of breakpoints) {
      if (tokens > written) {
        writes[cacheTtl ?? '5m'] += tokens - written
        written = tokens
      }
      this.#remember(hash)
    }
    return { cached: read?.tokens ?? 0, cacheWrite5m: writes['5m'], cacheWrite1h: writes['1h'] }
  }

  #remember(hash: number): void {
    if (this.#prefixes.has(hash)) return
    if (this.#prefixes.size >= MAX_PREFIXES) {
      for (const oldest of this.#prefixes) {
        this.#prefixes.delete(oldest)
        break
      }
    }
    this.#prefixes.add(hash)
  }
}

type PrefixEnd = {
  readonly hash: number
  /** From the start of the prompt to here. */
  readonly tokens: number
  readonly cacheTtl: '5m' | '1h' | null
}

function prefixEnds(call: Call): PrefixEnd[] {
  let hash = hashText(call.model.id)
  let tokens = 0
  return call.segments.map((segment) => {
    hash = mixHash(hash, segment.hash)
    tokens += segment.tokens
    return { hash, tokens, cacheTtl: segment.cacheTtl }
  })
}
