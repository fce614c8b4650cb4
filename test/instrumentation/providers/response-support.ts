import {
  createResponseReader,
  type Dialect,
  type EndReason,
  type ResponseFacts,
} from '../../../instrumentation/src/providers/index.ts'
import { sseBody } from '../../support/recordings.ts'

type Reading = { readonly provider?: string; readonly reason?: EndReason }

/** Reads a stream of these events. */
export function readEvents(
  dialect: Dialect,
  events: readonly unknown[],
  { provider = 'any', reason = 'complete' }: Reading = {},
): ResponseFacts {
  const reader = createResponseReader({ dialect, provider }, 'text/event-stream')
  const body = sseBody(events.map((event) => JSON.stringify(event))).toString()
  reader.push(Buffer.from(body.replace('data: [DONE]\n\n', '')))
  return reader.end(reason)
}

/** Reads this object as a whole JSON body. */
export function readJson(
  dialect: Dialect,
  body: unknown,
  { provider = 'any', reason = 'complete' }: Reading = {},
): ResponseFacts {
  const reader = createResponseReader({ dialect, provider }, 'application/json; charset=utf-8')
  reader.push(Buffer.from(JSON.stringify(body)))
  return reader.end(reason)
}

/** The one part of an answer as `[input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning]`. */
export function countsOf({ parts }: ResponseFacts): (number | null)[] | null {
  const [part, ...more] = parts
  if (!part || more.length > 0) return null
  const { input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning } = part.tokens
  return [input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning]
}
