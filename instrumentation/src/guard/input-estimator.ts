const MAX_KEYS = 1_000
/** Bytes of request for each token of input, before anything was learned: dearer than prose, about right for CJK. */
const FIRST_TOKENS_PER_BYTE = 1 / 3
/** How much of the difference is forgotten with each call that had fewer tokens than estimated. */
const DECAY = 0.05
const BASE_TOKENS = 16

/**
 * Guesses how many tokens a request is, from its size: too slow and too heavy to count before each call. Learns from
 * what calls of the same kind turned out to be, quickly upwards and slowly downwards, so that it errs on the dear side.
 */
export class InputEstimator {
  readonly #tokensPerByte = new Map<string, number>()

  estimate(kind: string, promptBytes: number): number {
    const ratio = this.#tokensPerByte.get(kind) ?? FIRST_TOKENS_PER_BYTE
    return Math.ceil(promptBytes * ratio) + BASE_TOKENS
  }

  learn(kind: string, promptBytes: number, inputTokens: number): void {
    if (promptBytes <= 0 || inputTokens <= 0) return
    const seen = Math.max(0, inputTokens - BASE_TOKENS) / promptBytes
    const known = this.#tokensPerByte.get(kind)
    if (known === undefined && this.#tokensPerByte.size >= MAX_KEYS) this.#tokensPerByte.clear()
    const next = known === undefined || seen > known ? seen : known + (seen - known) * DECAY
    this.#tokensPerByte.set(kind, next)
  }
}

/** Runs of base64 are pictures and files, which are not billed by their letters. */
const BASE64_RUN = /[A-Za-z0-9+/=_-]{2048,}/g
const TOKENS_FOR_A_FILE_AS_BYTES = 6_000

/** Bytes of the request that will become tokens. */
export function promptBytes(bodyText: string): number {
  const bytes = Buffer.byteLength(bodyText)
  if (!bodyText.includes('base64')) return bytes
  let left = bytes
  for (const [run] of bodyText.matchAll(BASE64_RUN)) left += TOKENS_FOR_A_FILE_AS_BYTES - run.length
  return Math.max(0, left)
}
