import type { BacktestProgress } from '@tokenfuse/processor'
import { formatCount } from '../output/text.ts'

const EVERY_MS = 500
const QUIET_FIRST_MS = 2000

/** Tells on a terminal how far a long file was read, on one line that is written again and again. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream
  readonly #startMs = performance.now()
  #toldMs = this.#startMs + QUIET_FIRST_MS - EVERY_MS
  #isShown = false

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  show({ lines, readBytes, totalBytes }: BacktestProgress): void {
    const nowMs = performance.now()
    if (!this.#stream.isTTY || nowMs - this.#toldMs < EVERY_MS) return
    this.#toldMs = nowMs
    this.#isShown = true
    const percent = totalBytes > 0 ? Math.floor((readBytes / totalBytes) * 100) : 100
    const perSecond = Math.round((lines / (nowMs - this.#startMs)) * 1000)
    this.#stream.write(
      `\r\u001b[K${percent}%, ${formatCount(lines)} lines, ${formatCount(perSecond)} a second`,
    )
  }

  clear(): void {
    if (this.#isShown) this.#stream.write('\r\u001b[K')
  }
}
