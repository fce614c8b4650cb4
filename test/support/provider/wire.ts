import type { IncomingMessage, ServerResponse } from 'node:http'
import { createGzip, constants, gzipSync, type Gzip } from 'node:zlib'

/** One response on its way to a client that may leave at any time. */
export class Wire {
  readonly #response: ServerResponse
  readonly #acceptsGzip: boolean
  #gzipped = false
  #gzip: Gzip | null = null
  readonly #gone: Promise<void>
  gone = false

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#response = response
    this.#acceptsGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
    this.#gone = new Promise((resolve) => {
      response.once('close', () => {
        this.gone = !response.writableFinished
        resolve()
      })
    })
  }

  /** Compresses the body if the client accepts it. To be said before the answer begins. */
  allowGzip(): void {
    this.#gzipped = this.#acceptsGzip
  }

  /** Resolves when the client has left or the answer has ended. */
  get closed(): Promise<void> {
    return this.#gone
  }

  /** Sleeps, unless the client leaves. */
  async sleep(ms: number): Promise<void> {
    if (ms <= 0 || this.gone) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    await Promise.race([promise, this.#gone])
    clearTimeout(timer)
  }

  /**
   * Sends a whole body.
   * @param lengthBias added to the content-length, which is then wrong
   */
  async sendWhole(
    status: number,
    headers: Record<string, string>,
    body: string,
    lengthBias = 0,
  ): Promise<void> {
    const bytes = this.#gzipped ? gzipSync(body) : Buffer.from(body)
    this.#response.writeHead(status, {
      ...headers,
      ...this.#encoding(),
      'content-length': bytes.length + lengthBias,
    })
    const { socket } = this.#response
    await this.#ended(bytes)
    if (lengthBias !== 0) socket?.destroy()
  }

  /** Begins a body of unknown length. */
  begin(status: number, headers: Record<string, string>): void {
    this.#response.writeHead(status, { ...headers, ...this.#encoding() })
    this.#response.flushHeaders()
    if (!this.#gzipped) return
    this.#gzip = createGzip()
    this.#gzip.pipe(this.#response)
  }

  /** Resolves when the text is out of this process, or never will be. */
  async write(text: string): Promise<void> {
    if (this.gone || text === '') return
    const { promise, resolve } = Promise.withResolvers<void>()
    const gzip = this.#gzip
    if (gzip) {
      gzip.write(text)
      gzip.flush(constants.Z_SYNC_FLUSH, () => resolve())
    } else {
      this.#response.write(text, () => resolve())
    }
    await Promise.race([promise, this.#gone])
  }

  async end(): Promise<void> {
    if (this.gone) return
    if (!this.#gzip) return this.#ended()
    this.#gzip.end()
    await this.#gone
  }

  /** Ends the connection with a reset, which the client cannot take for a good end. */
  reset(): void {
    this.#response.socket?.resetAndDestroy()
  }

  async #ended(last?: Buffer): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#response.end(last, () => resolve())
    await Promise.race([promise, this.#gone])
  }

  #encoding(): Record<string, string> {
    return this.#gzipped ? { 'content-encoding': 'gzip', vary: 'accept-encoding' } : {}
  }
}
