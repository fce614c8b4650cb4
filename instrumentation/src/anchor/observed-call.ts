import { createUsageChunkFilter } from '../providers/index.ts'
import type { EndReason } from '../providers/index.ts'
import type { Call } from './call.ts'
import { observeResponse } from './observed-response.ts'
import type { StartedBody } from './passing-body.ts'

/**
 * The response for the app; the call ends when its body does.
 * @param wasAsked the stream was asked for its usage on the app's behalf, so the answer is to be taken out
 */
export function observeCall(
  response: Response,
  call: Call,
  wasAsked: boolean,
  started: StartedBody | null = null,
): Response {
  const contentType = response.headers.get('content-type') ?? ''
  const reader = call.responseArrived(response.status, contentType)
  if (response.body === null) {
    call.responseEnded('complete')
    return response
  }
  const isStream = contentType.toLowerCase().includes('event-stream')
  const observer = {
    push: (bytes: Uint8Array) => reader.push(bytes),
    end: (reason: EndReason) => call.responseEnded(reason),
    filter: wasAsked && isStream ? createUsageChunkFilter() : null,
  }
  const observed = observeResponse(response, observer, started)
  if (observed !== null) return observed
  call.responseUnreadable(response.status)
  return response
}

/** An app's own fetch, say one of its tests, may answer with anything. */
export function isWebResponse(response: Response): boolean {
  return response instanceof Object && response.headers instanceof Object && 'body' in response
}
