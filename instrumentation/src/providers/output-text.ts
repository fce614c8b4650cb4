import { ByteBuffer } from './byte-buffer.ts'
import { textMembers } from './json-text.ts'

/** How much generated text is kept for an estimate, in bytes. */
export const MAX_OUTPUT_TEXT_BYTES = 256 * 1024
/** Pieces are copied out of the events that they are parts of when there is this much of them. */
const COPIED_TOGETHER_BYTES = 1024
const LONGEST_ESCAPE = '\\u0000'.length

/** What the model has generated so far, cut out of events that are never parsed. Beyond the bound it is left out. */
export class OutputText {
  readonly #raw = new ByteBuffer(MAX_OUTPUT_TEXT_BYTES)
  #latest = ''
  #isFull = false

  /**
   * Adds the text that `data` (a byte string of JSON) holds under the first of these names that has any.
   * @param names each with its end, such as `content"`
   */
  add(data: string, names: readonly string[]): void {
    if (this.#isFull) return
    for (const name of names) {
      const text = textMembers(data, name)
      if (text === '') continue
      this.#latest += text
      if (this.#latest.length >= COPIED_TOGETHER_BYTES) this.#copyLatest()
      return
    }
  }

  toString(): string {
    this.#copyLatest()
    const raw = this.#raw.toText()
    // The bound, or the end of a broken body, may have cut an escape in two.
    for (let cut = 0; cut < LONGEST_ESCAPE; cut += 1) {
      try {
        return JSON.parse(`"${raw.slice(0, raw.length - cut)}"`) as string
      } catch {
        // One character less may do.
      }
    }
    return raw
  }

  #copyLatest(): void {
    const room = MAX_OUTPUT_TEXT_BYTES - this.#raw.length
    this.#isFull = this.#latest.length >= room
    this.#raw.appendByteString(this.#latest.slice(0, room))
    this.#latest = ''
  }
}
