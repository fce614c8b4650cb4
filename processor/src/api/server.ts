import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { TokenfuseError } from '@tokenfuse/protocol'
import type { Hono } from 'hono'
import type { ApiEnv } from './context.ts'

export type ListenOptions = {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Listens on an address that other machines can reach; what is said then goes unencrypted. */
  readonly allowRemote: boolean
}

/** Idle connections of agents stay open for longer than they wait between two exports. */
const KEEP_ALIVE_MS = 65_000
/** Requests in work get this long to end when the server closes. */
const DRAIN_MS = 2000

const LOOPBACK = /^(localhost|::1|127(\.\d{1,3}){3})$/

/**
 * Serves the app.
 * @throws TokenfuseError `not_loopback` or `address_in_use`
 */
export async function listen(app: Hono<ApiEnv>, options: ListenOptions): Promise<Listening> {
  const { host, port, allowRemote } = options
  if (!allowRemote && !LOOPBACK.test(host)) {
    throw new TokenfuseError('not_loopback', `${host} can be reached from other machines`, {
      fix: 'Listen on 127.0.0.1.',
    })
  }
  const answer = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (incoming, outgoing) => {
    void answer(incoming, outgoing)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)))
    server.listen(port, host, resolve)
  })
  return new Listening(server, host)
}

export class Listening {
  readonly url: string
  readonly #server: Server

  constructor(server: Server, host: string) {
    this.#server = server
    const { port } = server.address() as AddressInfo
    this.url = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  }

  /** Takes no more requests, lets those in work end for a moment, and closes every connection. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeIdleConnections()
    const timer = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MS)
    await closed
    clearTimeout(timer)
  }
}

function listenError(error: Error, host: string, port: number): unknown {
  if (!('code' in error)) return error
  if (error.code === 'EADDRINUSE') {
    return new TokenfuseError('address_in_use', `another process listens on ${host}:${port}`, {
      fix: 'Stop it, or choose another port with --port; 0 takes a free one.',
      cause: error,
    })
  }
  return error
}
