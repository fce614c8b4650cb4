/** What `fetch` was called with; kept as it is wherever nothing has to change. */
export type FetchArguments = [input: unknown, init?: unknown]

/** A request as the anchor reads it. */
export type Outgoing = {
  readonly headers: Headers
  /**
   * The body's text, at once where it can be had at once; `null` where it cannot be read (a stream, a form, encoded
   * bytes), which is no obstacle to sending it.
   */
  readonly bodyText: string | null | Promise<string | null>
  readonly signal: AbortSignal | null
}

/** Bodies beyond this are not read: parsing them would hold up the app. */
export const BODY_LENGTH_MAX = 64 * 1024 * 1024

/** The method and address of a call to `fetch`, or `null` where it is none that could be an LLM call. */
export function postAddress([input, init]: FetchArguments): URL | null {
  const request = input instanceof Request ? input : null
  const method = (init as RequestInit | undefined)?.method ?? request?.method
  if (typeof method !== 'string' || method.toUpperCase() !== 'POST') return null
  return URL.parse(request?.url ?? String(input))
}

/** `null` where `fetch` itself will reject the arguments. */
export function readOutgoing([input, init]: FetchArguments): Outgoing | null {
  const request = input instanceof Request ? input : null
  const options = (init ?? {}) as RequestInit
  try {
    const headers = new Headers(options.headers ?? request?.headers)
    return {
      headers,
      bodyText: headers.has('content-encoding') ? null : readBody(options.body, request),
      signal: options.signal ?? request?.signal ?? null,
    }
  } catch {
    return null // No headers, or a body that was read before.
  }
}

function readBody(body: RequestInit['body'], request: Request | null): Outgoing['bodyText'] {
  if (body === undefined || body === null) {
    // The clone shares the request's bytes and leaves the request itself unread.
    return request?.body ? request.clone().text().then(bounded, unreadable) : null
  }
  if (typeof body === 'string') return bounded(body)
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    return body.byteLength > BODY_LENGTH_MAX ? null : new TextDecoder().decode(body)
  }
  return null
}

const bounded = (text: string) => (text.length > BODY_LENGTH_MAX ? null : text)
const unreadable = () => null

/**
 * The same call with another body or without some headers. `null` where the options are no plain object, whose copy
 * could lose what only their class knows.
 */
export function withChanges(
  [input, init]: FetchArguments,
  changes: { readonly headers?: Headers; readonly body?: string },
): FetchArguments | null {
  const options = init ?? {}
  const prototype: unknown = Object.getPrototypeOf(options)
  if (prototype !== Object.prototype && prototype !== null) return null
  return [input, { ...options, ...changes }]
}
