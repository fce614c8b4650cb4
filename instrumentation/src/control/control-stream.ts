import type { ClientRequest, IncomingMessage } from 'node:http'
import type { StreamMessage } from '@tokenfuse/protocol/names'
import { createBackoff, retryAfterMs } from '../transport/backoff.ts'
import type { HttpClient } from '../transport/http-client.ts'
import { quietly } from '../transport/quietly.ts'
import { withPath } from '../transport/target.ts'
import type { Target } from '../transport/target.ts'
import { SseParser } from './sse-parser.ts'
import { parseStreamMessage } from './stream-message.ts'

/** The processor writes a comment every 5 s. */
const SILENCE_MAX_MS = 15_000
const EVENT_BYTES_MAX = 4 * 1024 * 1024

export type ControlStreamSettings = {
  readonly client: HttpClient
  readonly guardId: string
  /** The processor; asked before each connect. May throw. */
  readonly findTarget: () => Target
  readonly onMessage: (message: StreamMessage) => void
  /** A connection could not be made. */
  readonly onUnreachable: () => void
  readonly silenceMaxMs?: number
}

export type ControlStreamState = {
  readonly connected: boolean
  /** When the processor was last heard of, heartbeats included, by `performance.now()`; `null` for never. */
  readonly lastMessageAtMs: number | null
  /** Messages that were left out since they are not what they should be. */
  readonly badMessages: number
}

/**
 * Listens to `GET /v1/stream` for as long as the process lives, over and over again, without a word where nobody
 * answers. Never keeps the process alive.
 */
export class ControlStream {
  readonly #settings: ControlStreamSettings
  readonly #unreachable = createBackoff(100, 5_000)
  readonly #turnedAway = createBackoff(1_000, 30_000)
  #request: ClientRequest | null = null
  #timer: NodeJS.Timeout | null = null
  #connected = false
  #lastMessageAtMs: number | null = null
  #badMessages = 0
  #lastId = ''
  #closed = false

  constructor(settings: ControlStreamSettings) {
    this.#settings = settings
    quietly(() => this.#connect())
  }

  state(): ControlStreamState {
    return {
      connected: this.#connected,
      lastMessageAtMs: this.#lastMessageAtMs,
      badMessages: this.#badMessages,
    }
  }

  close(): void {
    this.#closed = true
    this.#connected = false
    if (this.#timer) clearTimeout(this.#timer)
    this.#request?.destroy()
  }

  #connect(): void {
    this.#timer = null
    try {
      const { url, headers } = this.#settings.findTarget()
      const request = this.#settings.client.open({
        url: withPath(url, `/v1/stream?guard=${encodeURIComponent(this.#settings.guardId)}`),
        method: 'GET',
        headers: {
          ...headers,
          accept: 'text/event-stream',
          ...(this.#lastId !== '' && { 'last-event-id': this.#lastId }),
        },
        holdsProcess: false,
      })
      this.#request = request
      this.#follow(request)
      request.end()
    } catch {
      // Address or token cannot be used now; both are read again next time.
      quietly(() => setImmediate(this.#settings.onUnreachable).unref())
      this.#reconnect(this.#turnedAway.next())
    }
  }

  #follow(request: ClientRequest): void {
    let waitMs: number | null = null
    const silence = setTimeout(
      () => request.destroy(),
      this.#settings.silenceMaxMs ?? SILENCE_MAX_MS,
    ).unref()
    request.on('error', () => {}) // 'close' follows, and is all that matters.
    request.on('response', (response) => {
      if (isEventStream(response)) this.#listen(response, () => silence.refresh())
      else {
        const asked = retryAfterMs(response.headers['retry-after'], Date.now())
        waitMs = Math.max(this.#turnedAway.next(), asked ?? 0)
        request.destroy()
      }
    })
    request.on('close', () => {
      clearTimeout(silence)
      if (!this.#connected && !this.#closed) this.#settings.onUnreachable()
      this.#connected = false
      this.#reconnect(waitMs ?? this.#unreachable.next())
    })
  }

  #listen(response: IncomingMessage, onAlive: () => void): void {
    this.#connected = true
    const parser = new SseParser({
      maxEventBytes: EVENT_BYTES_MAX,
      onEvent: ({ data, id }) => this.#take(data, id),
      onOversize: () => void this.#badMessages++,
    })
    response.on('data', (chunk: Buffer) => {
      onAlive()
      this.#lastMessageAtMs = performance.now()
      parser.push(chunk)
    })
    response.on('error', () => {})
  }

  #take(data: string, id: string): void {
    this.#lastId = id
    const message = parseStreamMessage(data)
    if (message === null) {
      this.#badMessages++
      return
    }
    this.#unreachable.reset()
    this.#turnedAway.reset()
    this.#settings.onMessage(message)
  }

  #reconnect(waitMs: number): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => this.#connect(), waitMs).unref()
  }
}

function isEventStream(response: IncomingMessage): boolean {
  const type = response.headers['content-type'] ?? ''
  return response.statusCode === 200 && /^text\/event-stream\s*(;|$)/i.test(type)
}
