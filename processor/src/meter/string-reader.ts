import { hashOf, sameBytes, WORD_BYTES } from './byte-words.ts'

const LONGEST_KEPT = 64
// Powers of two. A large payload has more texts to tell apart; for a small one the places would cost more than it does.
const FEWEST_PLACES = 64
const MOST_PLACES = 1024
const BYTES_PER_PLACE = 64

/**
 * Reads texts of one payload. Values that repeat, such as models and agents, become one string: each short text is
 * remembered at the place its bytes hash to, until another takes the place. Bytes that are no UTF-8 become U+FFFD.
 */
export class StringReader {
  /** A Buffer for its `toString`, which costs half of what a TextDecoder does on short texts. */
  readonly #bytes: Buffer
  readonly #view: DataView
  readonly #texts: string[] = []
  /** Start and length of the text at each place. */
  readonly #starts: Int32Array
  readonly #lengths: Int32Array
  readonly #mask: number

  constructor(view: DataView) {
    this.#view = view
    this.#bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength)
    let places = FEWEST_PLACES
    while (places < MOST_PLACES && places * BYTES_PER_PLACE < view.byteLength) places *= 2
    this.#starts = new Int32Array(places)
    this.#lengths = new Int32Array(places)
    this.#mask = places - 1
    this.#texts.length = places
  }

  read(start: number, end: number): string {
    const length = end - start
    if (length === 0) return ''
    if (length < WORD_BYTES || length > LONGEST_KEPT)
      return this.#bytes.toString('utf8', start, end)
    const place = hashOf(this.#view, start, end) & this.#mask
    if (this.#lengths[place] === length) {
      const known = this.#starts[place] as number
      if (sameBytes(this.#view, known, start, length)) {
        return this.#texts[place] as string
      }
    }
    return this.#remember(place, start, end)
  }

  #remember(place: number, start: number, end: number): string {
    const text = this.#bytes.toString('utf8', start, end)
    this.#texts[place] = text
    this.#starts[place] = start
    this.#lengths[place] = end - start
    return text
  }
}
