import { ByteBuffer, byteString } from './byte-buffer.ts'

/** Longest line, and longest event, whose content is kept: a whole answer with several images fits. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024
/** A chunk is searched in pieces of this size, so that a huge one does not need a huge copy. */
const PIECE_BYTES = 256 * 1024
const CARRIAGE_RETURN = 0x0d
const COLON = 0x3a
const SPACE = 0x20
const BYTE_ORDER_MARK = '\u00ef\u00bb\u00bf'

/**
 * Splits a server-sent event stream into its events, wherever the bytes are cut: lines end with `\n` or `\r\n`,
 * `data` over several lines is joined, comments and other fields are skipped. Hands each event's data on as a
 * byte string (see `byteString`).
 */
export class SseParser {
  readonly #onData: (data: string) => void
  readonly #onDropped: () => void
  readonly #unfinishedLine: ByteBuffer
  readonly #maxEventBytes: number
  #data: string | null = null
  /** The line being read is too long: its bytes are dropped up to its end. */
  #isLineLost = false
  /** Part of the event being read was lost: it will not be handed on. */
  #isEventLost = false
  #isFirstLine = true

  /**
   * @param onDropped called once for each event that was too large to keep
   */
  constructor(
    onData: (data: string) => void,
    onDropped: () => void,
    maxEventBytes: number = MAX_EVENT_BYTES,
  ) {
    this.#onData = onData
    this.#onDropped = onDropped
    this.#maxEventBytes = maxEventBytes
    this.#unfinishedLine = new ByteBuffer(maxEventBytes)
  }

  push(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
      this.#pushPiece(
        bytes.length <= PIECE_BYTES ? bytes : bytes.subarray(from, from + PIECE_BYTES),
      )
    }
  }

  /** The stream is over: an event that lacks only its blank line counts. */
  end(): void {
    this.#endUnfinishedLine('')
    this.#endEvent()
  }

  #pushPiece(bytes: Uint8Array): void {
    const text = byteString(bytes)
    let start = 0
    let end = text.indexOf('\n')
    if (end >= 0 && (this.#isLineLost || this.#unfinishedLine.length > 0)) {
      this.#endUnfinishedLine(text.slice(0, end))
      start = end + 1
      end = text.indexOf('\n', start)
    }
    while (end >= 0) {
      this.#endLine(text, start, end)
      start = end + 1
      end = text.indexOf('\n', start)
    }
    if (start < text.length && !this.#isLineLost) {
      this.#keepUnfinished(start === 0 ? bytes : bytes.subarray(start))
    }
  }

  #keepUnfinished(bytes: Uint8Array): void {
    this.#unfinishedLine.append(bytes)
    if (!this.#unfinishedLine.overflowed) return
    this.#unfinishedLine.clear()
    this.#isLineLost = true
    this.#isEventLost = true
  }

  #endUnfinishedLine(rest: string): void {
    if (this.#isLineLost) {
      this.#isLineLost = false
      return
    }
    const line = this.#unfinishedLine.toByteString() + rest
    this.#unfinishedLine.clear()
    this.#endLine(line, 0, line.length)
  }

  #endLine(text: string, start: number, lineEnd: number): void {
    if (lineEnd - start > this.#maxEventBytes) {
      this.#isEventLost = true
      return
    }
    const end =
      lineEnd > start && text.charCodeAt(lineEnd - 1) === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd
    if (start === end) return this.#endEvent()
    let from = start
    if (this.#isFirstLine) {
      this.#isFirstLine = false
      if (text.startsWith(BYTE_ORDER_MARK, from)) from += BYTE_ORDER_MARK.length
    }
    if (!text.startsWith('data', from) || text.charCodeAt(from + 4) !== COLON) return
    from += 5
    if (text.charCodeAt(from) === SPACE) from += 1
    this.#addData(from < end ? text.slice(from, end) : '')
  }

  #addData(value: string): void {
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`
    if (this.#data.length <= this.#maxEventBytes) return
    this.#data = null
    this.#isEventLost = true
  }

  #endEvent(): void {
    const data = this.#data
    this.#data = null
    if (this.#isEventLost) {
      this.#isEventLost = false
      this.#onDropped()
    } else if (data !== null) {
      this.#onData(data)
    }
  }
}
