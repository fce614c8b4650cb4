/** One server-sent event. */
export type SseEvent = {
  /** `message` where the server names none. */
  readonly type: string
  readonly data: string
  /** Of this event or the last one that had one; empty where none had. */
  readonly id: string
}

export type SseParserOptions = {
  readonly onEvent: (event: SseEvent) => void
  /** An event was longer than `maxEventBytes` and is left out; what follows it is read on. */
  readonly onOversize: () => void
  readonly maxEventBytes: number
}

const LF = 0x0a
const CR = 0x0d
/** Of the usual line; a longer one gets its own. */
const BUFFER_BYTES = 4096

/**
 * Reads a stream of server-sent events from bytes cut anywhere, by the rules of the HTML standard: lines end in LF,
 * CR or CRLF, an empty line ends an event, comments are skipped, an event without data is none. `retry` is not heeded.
 * Holds at most one event, and of that at most `maxEventBytes`.
 */
export class SseParser {
  readonly #options: SseParserOptions
  /** The line that is not whole yet is at its start. */
  #buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  #lineBytes = 0
  #afterCr = false
  #atStart = true
  #type = ''
  #data: string[] = []
  #dataBytes = 0
  #id = ''
  #oversize = false

  constructor(options: SseParserOptions) {
    this.#options = options
  }

  push(bytes: Uint8Array): void {
    let from = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]
      const endsCrLf = byte === LF && this.#afterCr
      this.#afterCr = byte === CR
      if (byte !== LF && byte !== CR) continue
      if (!endsCrLf) {
        this.#extendLine(bytes.subarray(from, at))
        this.#endLine()
      }
      from = at + 1
    }
    this.#extendLine(bytes.subarray(from))
  }

  #extendLine(piece: Uint8Array): void {
    const start = this.#lineBytes
    this.#lineBytes += piece.length
    if (this.#lineBytes + this.#dataBytes > this.#options.maxEventBytes) this.#oversize = true
    if (this.#oversize) return
    if (this.#lineBytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(this.#lineBytes * 2)
      this.#buffer.copy(larger, 0, 0, start)
      this.#buffer = larger
    }
    this.#buffer.set(piece, start)
  }

  #endLine(): void {
    const bytes = this.#lineBytes
    this.#lineBytes = 0
    if (bytes === 0) this.#endEvent()
    else if (!this.#oversize) this.#readField(this.#buffer.toString('utf8', 0, bytes), bytes)
    if (this.#buffer.length > BUFFER_BYTES) this.#buffer = Buffer.allocUnsafe(BUFFER_BYTES)
  }

  #readField(line: string, bytes: number): void {
    const text = this.#atStart ? line.replace(/^\uFEFF/, '') : line
    this.#atStart = false
    const colon = text.indexOf(':')
    if (colon === 0) return
    const name = colon < 0 ? text : text.slice(0, colon)
    const rest = colon < 0 ? '' : text.slice(colon + 1)
    const value = rest.startsWith(' ') ? rest.slice(1) : rest
    if (name === 'event') this.#type = value
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    else if (name === 'data') {
      this.#data.push(value)
      this.#dataBytes += bytes
    }
  }

  #endEvent(): void {
    const { onEvent, onOversize } = this.#options
    this.#atStart = false
    const [data, type, id, oversize] = [this.#data, this.#type, this.#id, this.#oversize]
    this.#data = []
    this.#dataBytes = 0
    this.#type = ''
    this.#oversize = false
    if (oversize) onOversize()
    else if (data.length > 0) onEvent({ type: type || 'message', data: data.join('\n'), id })
  }
}
