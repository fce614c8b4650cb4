import type { JsonObject } from './json.ts'

/**
 * An exact reply, where a test must know the figures: in the header `x-stand-in-reply` (JSON), or queued by
 * `POST /_script`. What is left out is drawn as usual. The output limit of the request still holds.
 */
export type ReplyScript = {
  /** Whole input, cached or not. */
  readonly input?: number
  readonly cached?: number
  readonly cacheWrite5m?: number
  readonly cacheWrite1h?: number
  /** Whole output, reasoning included, of all choices together. */
  readonly output?: number
  readonly reasoning?: number
  readonly text?: string
  readonly toolCalls?: readonly { readonly name: string; readonly arguments: JsonObject }[]
  readonly webSearches?: number
  readonly compaction?: { readonly input: number; readonly output: number }
  readonly advisor?: { readonly model: string; readonly input: number; readonly output: number }
  /** A fault's short text, see fault.ts. */
  readonly fault?: string
}

const MAX_QUEUED = 200_000

/** Replies that wait for their requests: first those of the request's label, then those for anyone. */
export class ReplyQueue {
  readonly #byLabel = new Map<string, ReplyScript[]>()
  #waiting = 0

  /** @throws {Error} when more wait than can be a test's intent */
  add(label: string | null, replies: readonly ReplyScript[]): void {
    this.#waiting += replies.length
    if (this.#waiting > MAX_QUEUED) throw new Error(`over ${MAX_QUEUED} scripted replies wait`)
    const queue = this.#byLabel.get(label ?? '')
    if (queue) queue.push(...replies)
    else this.#byLabel.set(label ?? '', [...replies])
  }

  take(label: string | null): ReplyScript | null {
    for (const key of label === null ? [''] : [label, '']) {
      const queue = this.#byLabel.get(key)
      const reply = queue?.shift()
      if (!queue || !reply) continue
      if (queue.length === 0) this.#byLabel.delete(key)
      this.#waiting--
      return reply
    }
    return null
  }

  clear(): void {
    this.#byLabel.clear()
    this.#waiting = 0
  }
}
