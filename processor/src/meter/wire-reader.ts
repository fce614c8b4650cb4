import { malformed } from './malformed.ts'

const VARINT = 0
const FIXED64 = 1
const LENGTH_DELIMITED = 2
const FIXED32 = 5

const LONGEST_VARINT = 10
const HIGHEST_TAG = 0xffff_ffff

/**
 * Walks over protobuf's wire format. Every method takes the end of the message it reads in and fails with
 * `otlp_malformed` rather than pass it; none makes room for a length before it has seen that the bytes are there.
 */
export class WireReader {
  readonly bytes: Uint8Array
  position = 0
  readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  // Tags and lengths of one byte are nearly all there are. Their paths are kept short, so that they are inlined.

  /** Field number x 8 + wire type. */
  tag(end: number): number {
    const { position } = this
    if (position < end) {
      const byte = this.bytes[position] as number
      if (byte >= 8 && byte < 0x80) {
        this.position = position + 1
        return byte
      }
    }
    return this.#longTag(end)
  }

  /** Reads a length. @returns the position at which what has this length ends */
  end(end: number): number {
    const start = this.position + 1
    if (start <= end) {
      const length = this.bytes[start - 1] as number
      if (length < 0x80 && start + length <= end) {
        this.position = start
        return start + length
      }
    }
    return this.#longEnd(end)
  }

  #longTag(end: number): number {
    const tag = this.#unsigned(end)
    if (tag < 8 || tag > HIGHEST_TAG) throw this.failure('an impossible field number')
    return tag
  }

  #longEnd(end: number): number {
    const length = this.#unsigned(end)
    if (length > end - this.position) throw this.failure('a length beyond the end of its message')
    return this.position + length
  }

  /** A number of any size that a tag or a length has; above 2^53 it is only known to be larger. */
  #unsigned(end: number): number {
    let value = 0
    let scale = 1
    for (let length = 0; length < LONGEST_VARINT; length++) {
      const byte = this.#byte(end)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 0x80
    }
    throw this.failure('a varint of more than ten bytes')
  }

  /** An int64; a bigint only where a number could not hold it exactly. */
  int64(end: number): number | bigint {
    let value = 0
    // Four groups of seven bits cannot reach the sign of a 32-bit integer.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte(end)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    let whole = BigInt(value)
    for (let length = 4; length < LONGEST_VARINT; length++) {
      const byte = this.#byte(end)
      whole |= BigInt(byte & 0x7f) << BigInt(length * 7)
      if (byte < 0x80) {
        const signed = BigInt.asIntN(64, whole)
        return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed
      }
    }
    throw this.failure('a varint of more than ten bytes')
  }

  bool(end: number): boolean {
    return this.int64(end) !== 0
  }

  double(end: number): number {
    return this.view.getFloat64(this.#fixed(8, end), true)
  }

  /** Passes over a fixed64. @returns the position of its eight bytes */
  fixed64(end: number): number {
    return this.#fixed(8, end)
  }

  /** The lower half of the fixed64 at a position; the upper one is four bytes on. */
  uint32(at: number): number {
    return this.view.getUint32(at, true)
  }

  /** Passes over a field that nobody wants. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case VARINT:
        this.#unsigned(end)
        return
      case FIXED64:
        this.#fixed(8, end)
        return
      case LENGTH_DELIMITED:
        this.position = this.end(end)
        return
      case FIXED32:
        this.#fixed(4, end)
        return
      default:
        throw this.failure('a group or an unknown wire type')
    }
  }

  failure(what: string): Error {
    return malformed(what, `at byte ${this.position}`)
  }

  #byte(end: number): number {
    if (this.position >= end) throw this.failure('a message cut short')
    return this.bytes[this.position++] as number
  }

  #fixed(size: number, end: number): number {
    const at = this.position
    if (size > end - at) throw this.failure('a message cut short')
    this.position = at + size
    return at
  }
}
