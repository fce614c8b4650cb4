import type { ClientRequest, RequestOptions } from 'node:http'
import type https from 'node:https'
import { isDeadEnd, markDeadEnd } from './dead-ends.ts'
import { quietly } from './quietly.ts'

/**
 * A connect in progress keeps a process alive even where its socket does not, and cannot be told otherwise. So it
 * is kept short: this is the longest that an address from which nothing comes back can hold up the app's end.
 */
const CONNECT_TIMEOUT_MS = 1_000

export type OpenRequest = {
  readonly url: URL
  readonly method: 'GET' | 'POST'
  readonly headers: Readonly<Record<string, string | number>>
  /** True where the app itself waits for the answer, so that the process may not end before it. */
  readonly holdsProcess: boolean
}

export type HttpClient = {
  /**
   * A request that was not ended yet. It never keeps the process alive unless told to. Throws on bad headers, and
   * where a connect to the same address got no answer just before.
   */
  open(request: OpenRequest): ClientRequest
  close(): void
}

/** Requests over sockets of its own, kept open between requests; never over the app's fetch or its agents. */
export function createHttpClient(): HttpClient {
  // An import would read every export of the module, WebSocket among them, and so load all of fetch: ten times as
  // long. And the request is that of now, when the preload starts: what anyone wraps around it later is for the app.
  const { Agent, request: plainRequest } = process.getBuiltinModule('node:http')
  const agentOptions = { keepAlive: true, maxSockets: 4 }
  const plainAgent = new Agent(agentOptions)
  let secureAgent: https.Agent | null = null

  const secureOptions = (module: typeof https): RequestOptions => {
    secureAgent ??= new module.Agent(agentOptions)
    return { agent: secureAgent }
  }

  return {
    open({ url, method, headers, holdsProcess }) {
      if (isDeadEnd(url.origin)) throw new Error(`no connection to ${url.origin} a moment ago`)
      return quietly(() => {
        const options = { method, headers }
        // TLS is loaded where it is used: it is the dearest module of all that the preload could need.
        const module = url.protocol === 'https:' ? process.getBuiltinModule('node:https') : null
        const request = module
          ? module.request(url, { ...options, ...secureOptions(module) })
          : plainRequest(url, { ...options, agent: plainAgent })
        if (!holdsProcess) letProcessEnd(request)
        limitConnect(request, url.origin)
        return request
      })
    },
    close() {
      plainAgent.destroy()
      secureAgent?.destroy()
    },
  }
}

function letProcessEnd(request: ClientRequest): void {
  // A socket taken up again was made to count by the agent just before, a new one counts from the start.
  request.on('socket', (socket) => socket.unref())
}

function limitConnect(request: ClientRequest, origin: string): void {
  request.on('socket', (socket) => {
    if (!socket.connecting) return
    const timer = setTimeout(() => {
      markDeadEnd(origin)
      request.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`))
    }, CONNECT_TIMEOUT_MS).unref()
    socket.once('connect', () => clearTimeout(timer))
    socket.once('close', () => clearTimeout(timer))
  })
}
