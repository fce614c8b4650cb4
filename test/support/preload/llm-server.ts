import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export type SeenRequest = {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}
export type Answer = (request: SeenRequest, response: ServerResponse) => void | Promise<void>

export type LlmServer = {
  readonly url: string
  /** `host:port` */
  readonly host: string
  readonly seen: readonly SeenRequest[]
  /** What `TOKENFUSE_HOSTS` must say for it. */
  readonly hosts: string
}

/** A provider whose every byte a test decides. */
export async function startLlmServer(t: TestContext, answer: Answer): Promise<LlmServer> {
  const seen: SeenRequest[] = []
  const server = createServer((incoming, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      const request = {
        path: incoming.url ?? '',
        headers: incoming.headers,
        body: Buffer.concat(chunks).toString(),
      }
      seen.push(request)
      await answer(request, response)
    })().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: `http://${host}`,
    host,
    seen,
    hosts: `${host}=openai+usage,${host}=anthropic`,
  }
}

export function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export function asksForUsage(request: SeenRequest): boolean {
  const { stream_options: options } = JSON.parse(request.body) as {
    stream_options?: { include_usage?: boolean }
  }
  return options?.include_usage === true
}

export function sendEvents(response: ServerResponse, events: readonly string[]): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of events) response.write(event)
  response.end()
}

export function wantsStream(request: SeenRequest): boolean {
  return (JSON.parse(request.body) as { stream?: boolean }).stream === true
}
