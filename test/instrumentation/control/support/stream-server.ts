import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export type Connection = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Sends one event. */
  readonly send: (data: unknown, id?: number) => void
}

export type StreamServer = {
  readonly url: string
  /** The next request for the stream; one that came already, if there is one. */
  next(): Promise<Connection>
  /** How many requests have come that nobody asked for. */
  readonly waiting: number
}

export type StreamServerOptions = { readonly status?: () => number; readonly type?: string }

/** A server on which a test plays the processor's stream by hand. */
export async function startStreamServer(
  t: TestContext,
  { status = () => 200, type = 'text/event-stream; charset=utf-8' }: StreamServerOptions = {},
): Promise<StreamServer> {
  const came: Connection[] = []
  const wanted: ((connection: Connection) => void)[] = []
  const server = createServer((request, response) => {
    response.writeHead(status(), { 'content-type': type })
    response.flushHeaders()
    const connection: Connection = {
      request,
      response,
      send: (data, id) => {
        const text = typeof data === 'string' ? data : JSON.stringify(data)
        response.write(`${id === undefined ? '' : `id: ${id}\n`}data: ${text}\n\n`)
      },
    }
    const give = wanted.shift()
    if (give) give(connection)
    else came.push(connection)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    next: () =>
      new Promise((resolve) => {
        const first = came.shift()
        if (first) resolve(first)
        else wanted.push(resolve)
      }),
    get waiting() {
      return came.length
    },
  }
}
