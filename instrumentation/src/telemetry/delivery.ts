import { retryAfterMs } from '../transport/backoff.ts'
import { exchange } from '../transport/exchange.ts'
import type { Answer } from '../transport/exchange.ts'
import type { HttpClient } from '../transport/http-client.ts'
import type { Target } from '../transport/target.ts'
import { VERSION } from '../version.ts'
import { encodeRequest } from './otlp-json.ts'
import type { EncodedSpan } from './otlp-json.ts'

const TIMEOUT_MS = 10_000
const GZIP_FROM_BYTES = 4096
const ANSWER_BYTES_MAX = 64 * 1024

/** What goes into one request: spans of one guard. */
export type Batch = {
  readonly spans: readonly EncodedSpan[]
  readonly guardId: string
  /** Spans that this guard has given up since it began. */
  readonly droppedSpans: number
}

/**
 * What became of a request. `acknowledged`: the receiver has the spans, but for those it has rejected for good.
 * `refused`: it will never take this batch. `retry`: it may take it later; `slow` where something has to be put
 * right first.
 */
export type Outcome =
  | { readonly kind: 'acknowledged'; readonly rejectedSpans: number }
  | { readonly kind: 'refused' }
  | Retry
export type Retry = {
  readonly kind: 'retry'
  readonly pace: 'fast' | 'slow'
  /** What the receiver asks for; `null` where it does not say. */
  readonly afterMs: number | null
}

/** Posts one batch. Never rejects. */
export type Deliver = (batch: Batch) => Promise<Outcome>

export type DeliverySettings = {
  readonly client: HttpClient
  /** Asked again after each failure: address and token may have changed. May throw. */
  readonly findTarget: () => Target
  /** True where somebody waits for the outcome, so that the process may not end before it. */
  readonly holdsProcess: boolean
}

export function createDelivery({ client, findTarget, holdsProcess }: DeliverySettings): Deliver {
  let target: Target | null = null
  return async (batch) => {
    try {
      target ??= findTarget()
    } catch {
      return { kind: 'retry', pace: 'slow', afterMs: null }
    }
    const { url, headers } = target
    const outcome = await post(client, { url, headers, holdsProcess }, batch)
    if (outcome.kind === 'retry') target = null
    return outcome
  }
}

async function post(
  client: HttpClient,
  { url, headers, holdsProcess }: Pick<Target, 'url' | 'headers'> & { holdsProcess: boolean },
  batch: Batch,
): Promise<Outcome> {
  try {
    const text = encodeRequest(batch.spans, batch.guardId, batch.droppedSpans)
    const plain = Buffer.from(text)
    const body = plain.length < GZIP_FROM_BYTES ? plain : await compress(plain)
    const answer = await exchange(client, {
      url,
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': body.length,
        ...(body !== plain && { 'content-encoding': 'gzip' }),
        'user-agent': `tokenfuse/${VERSION}`,
      },
      body,
      holdsProcess,
      timeoutMs: TIMEOUT_MS,
      maxAnswerBytes: ANSWER_BYTES_MAX,
    })
    return outcomeOf(answer)
  } catch {
    return { kind: 'retry', pace: 'fast', afterMs: null }
  }
}

async function compress(plain: Buffer): Promise<Buffer> {
  // Loaded when first needed: most requests hold one span.
  const { gzip } = await import('node:zlib')
  return await new Promise((resolve, reject) => {
    gzip(plain, { level: 1 }, (error, packed) => (error ? reject(error) : resolve(packed)))
  })
}

function outcomeOf(answer: Answer): Outcome {
  const { status } = answer
  if (status >= 200 && status < 300) {
    return { kind: 'acknowledged', rejectedSpans: rejectedSpans(answer) }
  }
  if (status === 400 || status === 413) return { kind: 'refused' }
  const overloaded = status === 408 || status === 429 || status >= 500
  const afterMs = retryAfterMs(answer.headers['retry-after'], Date.now())
  return { kind: 'retry', pace: overloaded ? 'fast' : 'slow', afterMs }
}

/** The count of an OTLP partial success; 0 where the answer says nothing, or not in JSON. */
function rejectedSpans({ body, truncated }: Answer): number {
  if (truncated || body.length === 0) return 0
  try {
    const content = JSON.parse(body.toString()) as {
      partialSuccess?: { rejectedSpans?: unknown }
    } | null
    const count = Number(content?.partialSuccess?.rejectedSpans ?? 0)
    return Number.isSafeInteger(count) && count > 0 ? count : 0
  } catch {
    return 0
  }
}
