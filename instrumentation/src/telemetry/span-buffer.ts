/** What the buffer needs to know of what it holds. */
export type Sized = { readonly bytes: number }

export type SpanBufferLimits = { readonly maxSpans: number; readonly maxBytes: number }

/**
 * Spans that were not acknowledged yet, in order, bounded in number and bytes. A full one takes no more: what it
 * has promised to keep stays, so that what goes missing is one stretch of time and not a random part of it.
 */
export class SpanBuffer<Span extends Sized> {
  readonly #limits: SpanBufferLimits
  #spans: Span[] = []
  /** Those before it have left. They are cut off in one go, since an array shifts slowly. */
  #head = 0
  #bytes = 0

  constructor(limits: SpanBufferLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#spans.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  hasRoomFor(bytes: number): boolean {
    return this.size < this.#limits.maxSpans && this.#bytes + bytes <= this.#limits.maxBytes
  }

  push(span: Span): void {
    this.#spans.push(span)
    this.#bytes += span.bytes
  }

  /** The first spans, which stay: at most so many, and so many bytes unless the first alone has more. */
  peek(maxSpans: number, maxBytes: number): Span[] {
    const first: Span[] = []
    let bytes = 0
    for (let at = this.#head; at < this.#spans.length && first.length < maxSpans; at++) {
      const span = this.#spans[at]
      if (span === undefined) break
      bytes += span.bytes
      if (first.length > 0 && bytes > maxBytes) break
      first.push(span)
    }
    return first
  }

  /** Takes the first `count` spans out. */
  take(count: number): Span[] {
    const end = Math.min(this.#head + count, this.#spans.length)
    const taken = this.#spans.slice(this.#head, end)
    for (const span of taken) this.#bytes -= span.bytes
    this.#head = end
    if (this.#head > this.#spans.length / 2) {
      this.#spans = this.#spans.slice(this.#head)
      this.#head = 0
    }
    return taken
  }
}
