import type { ServerResponse } from 'node:http'
import { type StreamMessage, TokenfuseError } from '@tokenfuse/protocol'

const HEARTBEAT_MS = 5000
const MAX_STREAMS = 10_000
/** A reader that lets more than this pile up is cut off; when it comes back it is sent the whole state again. */
const MAX_UNREAD_BYTES = 1024 ** 2

/** Server-sent events to the guards that listen. */
export class StreamHub {
  readonly #streams = new Map<ServerResponse, string | null>()
  #heartbeat: NodeJS.Timeout | null = null

  get size(): number {
    return this.#streams.size
  }

  /**
   * Begins a stream on a response that was not written to.
   * @param guard whose credit and recalls it carries; `null` for none
   * @param offset of the log, after which the first messages are true
   * @throws TokenfuseError `overloaded`
   */
  open(
    response: ServerResponse,
    guard: string | null,
    offset: number,
    first: readonly StreamMessage[],
  ): void {
    if (this.#streams.size >= MAX_STREAMS) {
      throw new TokenfuseError('overloaded', `${MAX_STREAMS} streams are open already`, {
        retryable: true,
      })
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    this.#streams.set(response, guard)
    response.on('close', () => this.#remove(response))
    response.on('error', () => this.#remove(response))
    this.#write(response, first.map((message) => eventText(offset, message)).join(''))
    this.#heartbeat ??= setInterval(() => this.#writeAll(': \n\n', null), HEARTBEAT_MS).unref()
  }

  /**
   * Sends a message to all, or to one guard.
   * @param offset of the log, after which it is true
   */
  send(offset: number, message: StreamMessage, guard: string | null): void {
    if (this.#streams.size > 0) this.#writeAll(eventText(offset, message), guard)
  }

  close(): void {
    for (const response of this.#streams.keys()) response.end()
  }

  #writeAll(text: string, guard: string | null): void {
    for (const [response, owner] of this.#streams) {
      if (guard === null || guard === owner) this.#write(response, text)
    }
  }

  #write(response: ServerResponse, text: string): void {
    if (response.writableLength + text.length > MAX_UNREAD_BYTES && response.writableLength > 0) {
      this.#remove(response)
      response.destroy()
      return
    }
    response.write(text)
  }

  #remove(response: ServerResponse): void {
    this.#streams.delete(response)
    if (this.#streams.size > 0 || this.#heartbeat === null) return
    clearInterval(this.#heartbeat)
    this.#heartbeat = null
  }
}

function eventText(offset: number, message: StreamMessage): string {
  return `event: ${message.type}\nid: ${offset}\ndata: ${JSON.stringify(message)}\n\n`
}
