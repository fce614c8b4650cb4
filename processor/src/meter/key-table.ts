import { hashOf, WORD_BYTES } from './byte-words.ts'

/**
 * Finds known ASCII names among bytes without making strings of them: a hash of a few bytes, then one comparison,
 * four bytes at a time. No name is shorter than four.
 */
export class KeyTable {
  /** Each name's words, the last of which may overlap the one before. */
  readonly #words: Int32Array
  /** Where each name begins in `#words`. */
  readonly #starts: number[] = []
  readonly #lengths: number[]
  /** Open addressing, index of a name plus 1; 0 is empty. At most a quarter is full, so probes stay short. */
  readonly #slots: Uint16Array
  readonly #shortest: number
  readonly #longest: number

  constructor(names: readonly string[]) {
    this.#lengths = names.map((name) => name.length)
    this.#shortest = Math.min(...this.#lengths)
    this.#longest = Math.max(...this.#lengths)
    let size = 16
    while (size < names.length * 4) size *= 2
    this.#slots = new Uint16Array(size)
    const words: number[] = []
    for (const [index, name] of names.entries()) {
      const bytes = new DataView(Uint8Array.from(name, (char) => char.charCodeAt(0)).buffer)
      const last = name.length - WORD_BYTES
      this.#starts.push(words.length)
      for (let i = 0; i < last; i += WORD_BYTES) words.push(bytes.getInt32(i, true))
      words.push(bytes.getInt32(last, true))
      let slot = hashOf(bytes, 0, name.length) & (size - 1)
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (size - 1)
      this.#slots[slot] = index + 1
    }
    this.#words = Int32Array.from(words)
  }

  /** @returns the index of the name that the bytes from `start` to `end` are, or -1 */
  find(bytes: DataView, start: number, end: number): number {
    const length = end - start
    if (length < this.#shortest || length > this.#longest) return -1
    const slots = this.#slots
    let slot = hashOf(bytes, start, end) & (slots.length - 1)
    for (;;) {
      const index = (slots[slot] as number) - 1
      if (index < 0) return -1
      if (this.#lengths[index] === length && this.#isAt(index, bytes, start, end)) return index
      slot = (slot + 1) & (slots.length - 1)
    }
  }

  #isAt(index: number, bytes: DataView, start: number, end: number): boolean {
    const words = this.#words
    const last = end - WORD_BYTES
    let word = this.#starts[index] as number
    for (let i = start; i < last; i += WORD_BYTES) {
      if (bytes.getInt32(i, true) !== words[word++]) return false
    }
    return bytes.getInt32(last, true) === words[word]
  }
}
