const FIRST_CAPACITY = 1024
/** A buffer that grew beyond this is given back when it is emptied. */
const KEPT_CAPACITY = 64 * 1024

/**
 * Bytes as text, one character a byte. Unlike UTF-8 decoding it is cheap, and right wherever the bytes are cut;
 * JSON and SSE syntax is ASCII and can be searched in it.
 */
export function byteString(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** The text that a byte string holds in UTF-8. */
export function decodeByteString(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8')
}

/** A growing copy of bytes, up to a bound: what does not fit is left out whole, and `overflowed` says so. */
export class ByteBuffer {
  readonly #maxLength: number
  #bytes: Buffer = Buffer.alloc(0)
  #length = 0
  #overflowed = false

  constructor(maxLength: number) {
    this.#maxLength = maxLength
  }

  get length(): number {
    return this.#length
  }

  get overflowed(): boolean {
    return this.#overflowed
  }

  append(bytes: Uint8Array): void {
    if (!this.#makeRoom(bytes.length)) return
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  appendByteString(text: string): void {
    if (!this.#makeRoom(text.length)) return
    this.#bytes.write(text, this.#length, 'latin1')
    this.#length += text.length
  }

  toByteString(): string {
    return this.#bytes.toString('latin1', 0, this.#length)
  }

  /** The content as UTF-8; bytes that are none become U+FFFD. */
  toText(): string {
    return this.#bytes.toString('utf8', 0, this.#length)
  }

  clear(): void {
    this.#length = 0
    this.#overflowed = false
    if (this.#bytes.length > KEPT_CAPACITY) this.#bytes = Buffer.alloc(0)
  }

  #makeRoom(more: number): boolean {
    const wanted = this.#length + more
    if (this.#overflowed || wanted > this.#maxLength) {
      this.#overflowed = true
      return false
    }
    if (wanted > this.#bytes.length) {
      const capacity = Math.max(wanted, Math.min(2 * this.#bytes.length, this.#maxLength))
      const grown = Buffer.allocUnsafe(Math.max(FIRST_CAPACITY, capacity))
      this.#bytes.copy(grown, 0, 0, this.#length)
      this.#bytes = grown
    }
    return true
  }
}
