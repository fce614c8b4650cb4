import { PassingBody } from './passing-body.ts'
import type { BodyObserver, StartedBody } from './passing-body.ts'

/**
 * A response for the app that is in every respect the one that came, except that its body passes by an observer.
 * Bytes are pulled only when the app pulls: nothing is read ahead, copied aside or held back, and giving up reaches the
 * network. `null` where the response is of no kind that can be observed; then nothing was touched.
 */
export function observeResponse(
  response: Response,
  observer: BodyObserver,
  started: StartedBody | null = null,
): Response | null {
  const { status, statusText, headers } = response
  const body = started ?? startBody(response.body)
  if (body === null) return null
  try {
    const stream = new PassingBody(body, observer).toStream()
    const Same = response.constructor as typeof Response
    return likeOriginal(new Same(stream, { status, statusText, headers }), response)
  } catch (error) {
    if (started !== null) throw error
    body.reader.releaseLock()
    return null
  }
}

/** Takes the reader of a body; `null` where there is none to be had. */
export function startBody(body: ReadableStream<Uint8Array> | null): StartedBody | null {
  if (!(body instanceof ReadableStream) || body.locked) return null
  return { isByteStream: isByteStream(body), reader: body.getReader(), chunks: [] }
}

/** Whether the app could read the body into memory of its own. */
function isByteStream(body: ReadableStream): boolean {
  try {
    body.getReader({ mode: 'byob' }).releaseLock()
    return true
  } catch {
    return false
  }
}

/** Puts back what a response made by hand lacks, also on its clones. */
function likeOriginal(made: Response, { url, redirected, type }: Response): Response {
  const value = <Value>(content: Value) => ({ value: content, configurable: true })
  const clone = made.clone.bind(made)
  return Object.defineProperties(made, {
    url: value(url),
    redirected: value(redirected),
    type: value(type),
    clone: { ...value(() => likeOriginal(clone(), made)), writable: true },
  })
}
