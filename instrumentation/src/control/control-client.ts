import type { StreamMessage } from '@tokenfuse/protocol/names'
import { TokenfuseError } from '@tokenfuse/protocol/names'
import { exchange } from '../transport/exchange.ts'
import type { Answer } from '../transport/exchange.ts'
import { createHttpClient } from '../transport/http-client.ts'
import { processorTarget, withPath } from '../transport/target.ts'
import type { Surroundings } from '../transport/target.ts'
import { VERSION } from '../version.ts'
import { ControlStream } from './control-stream.ts'
import type { ControlStreamState } from './control-stream.ts'

const POST_TIMEOUT_MS = 10_000
const ANSWER_BYTES_MAX = 4 * 1024 * 1024

export type ControlSettings = Surroundings & {
  readonly guardId: string
  /** How long the stream may be silent before it is begun anew. Default: three heartbeats, 15 s. */
  readonly silenceMaxMs?: number
  /** Called each time that a connection could not be made. */
  readonly onUnreachable?: () => void
}

export type PostOptions = {
  /**
   * True where the app itself waits for the answer. Without it a process that has nothing else to do ends, and
   * what waits for the answer never goes on.
   */
  readonly holdsProcess?: boolean
  readonly timeoutMs?: number
}

export type StreamListener = (message: StreamMessage) => void

export interface ControlClient {
  /** Calls `listener` with each message from now on; returns how to end that. */
  subscribe(listener: StreamListener): () => void
  /**
   * Posts `body` as JSON to a path such as `/v1/credit` and resolves to the answer, parsed; `null` where it is empty.
   * Rejects with `processor_unreachable` (retryable), `unauthorized`, or `bad_request` for any other status.
   */
  post(path: string, body: unknown, options?: PostOptions): Promise<unknown>
  state(): ControlStreamState
  close(): void
}

/** Connects to the processor's stream at once, without waiting for it. Never throws. */
export function createControlClient(settings: ControlSettings): ControlClient {
  const client = createHttpClient()
  const findTarget = () => processorTarget(settings)
  const listeners = new Set<StreamListener>()
  const stream = new ControlStream({
    client,
    findTarget,
    guardId: settings.guardId,
    ...(settings.silenceMaxMs !== undefined && { silenceMaxMs: settings.silenceMaxMs }),
    onUnreachable: () => safely(() => settings.onUnreachable?.()),
    onMessage(message) {
      for (const listener of listeners) safely(() => listener(message))
    },
  })

  return {
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async post(path, body, { holdsProcess = false, timeoutMs = POST_TIMEOUT_MS } = {}) {
      const { url, headers } = findTarget()
      const text = JSON.stringify(body)
      const request = {
        url: withPath(url, path),
        method: 'POST' as const,
        headers: {
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          'user-agent': `tokenfuse/${VERSION}`,
        },
        body: text,
        holdsProcess,
        timeoutMs,
        maxAnswerBytes: ANSWER_BYTES_MAX,
      }
      const answer = await exchange(client, request).catch((cause: unknown) => {
        throw unreachable(url, cause)
      })
      return readAnswer(answer, url)
    },
    state: () => stream.state(),
    close() {
      listeners.clear()
      stream.close()
      client.close()
    },
  }
}

function safely(tell: () => void): void {
  try {
    tell()
  } catch {
    // A fault of one listener is kept from the others, and from the app.
  }
}

function readAnswer({ status, body, truncated }: Answer, url: URL): unknown {
  if (status === 401 || status === 403) {
    throw new TokenfuseError('unauthorized', `The processor at ${url.origin} refuses the token.`, {
      fix: 'Set TOKENFUSE_TOKEN or TOKENFUSE_TOKEN_FILE to a token of that processor.',
    })
  }
  const busy = status === 408 || status === 429 || status >= 500
  if (busy || truncated) throw unreachable(url, new Error(`status ${status}`))
  if (status < 200 || status >= 300) {
    throw new TokenfuseError('bad_request', `The processor at ${url.origin} answered ${status}.`, {
      fix: 'Use the same version of tokenfuse for processor and instrumentation.',
    })
  }
  if (body.length === 0) return null
  try {
    return JSON.parse(body.toString()) as unknown
  } catch (cause) {
    throw unreachable(url, cause)
  }
}

function unreachable(url: URL, cause: unknown): TokenfuseError {
  return new TokenfuseError('processor_unreachable', `No processor answers at ${url.origin}.`, {
    fix: 'Start one with `tokenfuse up`, or set TOKENFUSE_URL to the address of one.',
    retryable: true,
    cause,
  })
}
