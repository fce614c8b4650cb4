import { reportFault } from '../log.ts'

/** Says who works on what in the app's own systems; no provider is to know it. */
const PRIVATE_HEADERS = ['baggage', 'traceparent', 'tracestate'] as const

/** Whether any had to be removed. `headers` is the anchor's own copy. */
export function removePrivateHeaders(headers: Headers): boolean {
  let removed = false
  for (const name of PRIVATE_HEADERS) {
    if (!headers.has(name)) continue
    headers.delete(name)
    removed = true
  }
  return removed
}

/** A request as undici shows it on its diagnostics channel: in the versions of Node supported, one flat list. */
type UndiciRequest = {
  readonly origin?: unknown
  readonly path?: unknown
  readonly method?: unknown
  readonly headers?: unknown
}

const CHANNEL = 'undici:request:create'

/**
 * An instrumentation of the app adds the headers further down, when undici makes the request, and tells nobody. Its
 * subscription to undici's channel comes before ours, so what it added is there to be taken out again.
 */
export class PrivateHeaderFilter {
  readonly #isProvider: (method: string, url: URL) => boolean
  readonly #remove = (message: unknown) => {
    try {
      this.#clean((message as { request: UndiciRequest }).request)
    } catch (error) {
      // Whatever is thrown here, Node makes an uncaught exception of the app.
      reportFault('taking private headers out', error)
    }
  }

  constructor(isProvider: (method: string, url: URL) => boolean) {
    this.#isProvider = isProvider
  }

  /** Called before each call: whoever subscribed meanwhile is now before us. Without other subscribers a no-op. */
  moveToEnd(): void {
    const { channel } = process.getBuiltinModule('node:diagnostics_channel')
    const created = channel(CHANNEL)
    created.unsubscribe(this.#remove)
    if (created.hasSubscribers) created.subscribe(this.#remove)
  }

  #clean({ origin, path, method, headers }: UndiciRequest): void {
    if (!Array.isArray(headers) || typeof path !== 'string' || method !== 'POST') return
    const url = URL.parse(path, String(origin))
    if (url === null || !this.#isProvider('POST', url)) return
    for (let at = headers.length - 2; at >= 0; at -= 2) {
      const name = String(headers[at]).toLowerCase()
      if ((PRIVATE_HEADERS as readonly string[]).includes(name)) headers.splice(at, 2)
    }
  }
}
