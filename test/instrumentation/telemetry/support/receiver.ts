import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'

export type ReceivedRequest = {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** The body. */
  readonly text: string
  readonly spanIds: readonly string[]
  readonly services: readonly string[]
  /** By resource, `null` where it does not say. */
  readonly droppedSpans: number | null
}

export type Receiver = {
  readonly url: string
  /** Requests answered with success. */
  readonly requests: readonly ReceivedRequest[]
  /** All requests, refused ones too. */
  readonly attempts: readonly ReceivedRequest[]
  /** Resolves when a request has come for which `predicate` holds; looks at all so far first. */
  until(predicate: (receiver: Receiver) => boolean): Promise<void>
  /** Stops listening and cuts all connections. */
  stop(): Promise<void>
  /** Listens again on the same port. */
  restart(): Promise<void>
}

export type Reply = { status: number; headers?: Record<string, string>; body?: string }
export type ReplyTo = (request: ReceivedRequest, count: number) => Reply | Promise<Reply>

/** An OTLP receiver of a few lines. Answers 200 unless `replyTo` says otherwise. */
export async function startReceiver(
  t: TestContext,
  replyTo: ReplyTo = () => ({ status: 200 }),
): Promise<Receiver> {
  const attempts: ReceivedRequest[] = []
  const requests: ReceivedRequest[] = []
  const waiting = new Set<() => void>()

  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const received = await readRequest(incoming)
    attempts.push(received)
    const { status, headers = {}, body = '{}' } = await replyTo(received, attempts.length)
    if (status === 200) requests.push(received)
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body)
    for (const check of waiting) check()
  }
  const server = createServer((incoming, response) => void handle(incoming, response))
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const stop = async () => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo
  t.after(stop)

  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}`,
    requests,
    attempts,
    until: (predicate) =>
      new Promise((resolve) => {
        const check = () => {
          if (!predicate(receiver)) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    stop,
    restart: () => listen(port),
  }
  return receiver
}

/** The ids of all spans that were acknowledged, each once. */
export function acknowledgedIds(receiver: Receiver): string[] {
  return [...new Set(receiver.requests.flatMap(({ spanIds }) => spanIds))].toSorted()
}

type Attribute = { key: string; value: { stringValue?: string; intValue?: string } }
type Body = {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: { spans: { spanId: string }[] }[]
  }[]
}

async function readRequest(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const raw = await buffer(incoming)
  const plain = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
  const text = plain.toString()
  const { resourceSpans } = JSON.parse(text) as Body
  const resources = resourceSpans.flatMap(({ resource }) => resource.attributes)
  const dropped = resources.find(({ key }) => key === 'tokenfuse.dropped.spans')?.value.intValue
  return {
    path: incoming.url ?? '',
    headers: incoming.headers,
    text,
    spanIds: resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans.map((span) => span.spanId)),
    ),
    services: resources
      .filter(({ key }) => key === 'service.name')
      .map(({ value }) => value.stringValue ?? ''),
    droppedSpans: dropped === undefined ? null : Number(dropped),
  }
}
