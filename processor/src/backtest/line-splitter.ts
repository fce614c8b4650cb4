import { StringDecoder } from 'node:string_decoder'

/** No event is that long; a file that is none can be one line of gigabytes. */
const MAX_LINE = 4_000_000

/** The lines of a text that comes in pieces. One that is too long is `null`. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''
  #isTooLong = false

  /** @returns the lines that are whole now */
  push(piece: Uint8Array): (string | null)[] {
    const lines: (string | null)[] = (this.#rest + this.#decoder.write(piece)).split('\n')
    this.#rest = lines.pop() as string
    if (this.#isTooLong && lines.length > 0) {
      lines[0] = null
      this.#isTooLong = false
    }
    if (this.#rest.length > MAX_LINE) {
      this.#isTooLong = true
      this.#rest = ''
    }
    return lines
  }

  /** @returns the last line, where it does not end */
  end(): (string | null)[] {
    const rest = this.#rest + this.#decoder.end()
    if (this.#isTooLong) return [null]
    return rest === '' ? [] : [rest]
  }
}
