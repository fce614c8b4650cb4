import { EventEmitter, on } from 'node:events'
import { createServer } from 'node:http'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { TestContext } from 'node:test'
import type { StreamMessage } from '@tokenfuse/protocol'

/** A span as it was posted, attributes by name. */
export type ReceivedSpan = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly attributes: Readonly<Record<string, unknown>>
}

type OtlpValue = {
  stringValue?: string
  intValue?: string | number
  doubleValue?: number
  boolValue?: boolean
  arrayValue?: { values?: OtlpValue[] }
}
type OtlpSpan = {
  traceId: string
  spanId: string
  parentSpanId?: string
  attributes?: { key: string; value: OtlpValue }[]
}
type OtlpTraces = { resourceSpans?: { scopeSpans?: { spans?: OtlpSpan[] }[] }[] }

export type FakeProcessor = {
  readonly url: string
  /** All spans so far, each once however often it was posted. */
  readonly spans: readonly ReceivedSpan[]
  /** Resolves once so many spans have come. */
  waitForSpans(count: number): Promise<readonly ReceivedSpan[]>
  /** Posts to other paths, parsed. */
  readonly posts: readonly { readonly path: string; readonly body: unknown }[]
  /** Sends to every guard that listens, and to those that come. */
  send(message: StreamMessage): void
  /** Resolves once a guard listens. */
  waitForGuard(): Promise<void>
}

/** What a stream begins with: no budgets, no decisions. */
const BEGINNING: readonly StreamMessage[] = [
  { type: 'policy', version: 0, budgets: [] },
  { type: 'decisions', decisions: [] },
]

/** Takes spans and sends decisions as a processor does, and decides nothing itself. */
export async function startFakeProcessor(t: TestContext): Promise<FakeProcessor> {
  const spans = new Map<string, ReceivedSpan>()
  const posts: { path: string; body: unknown }[] = []
  const guards = new Set<ServerResponse>()
  const messages: StreamMessage[] = []
  const changes = new EventEmitter()
  const server = createServer((request, response) => {
    const path = request.url ?? ''
    if (path.startsWith('/v1/stream')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const message of [...BEGINNING, ...messages]) response.write(eventText(message))
      guards.add(response)
      changes.emit('change')
      return
    }
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const bytes = Buffer.concat(chunks)
      const plain = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
      const body = JSON.parse(plain.toString() || 'null') as unknown
      if (path.startsWith('/v1/traces')) {
        for (const span of spansOf(body as OtlpTraces)) spans.set(span.spanId, span)
      } else posts.push({ path, body })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      changes.emit('change')
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const until = async (holds: () => boolean) => {
    if (holds()) return
    for await (const _ of on(changes, 'change', { signal: AbortSignal.timeout(10_000) })) {
      if (holds()) return
    }
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get spans() {
      return [...spans.values()]
    },
    async waitForSpans(count) {
      await until(() => spans.size >= count)
      return [...spans.values()]
    },
    posts,
    send(message) {
      messages.push(message)
      for (const guard of guards) guard.write(eventText(message))
    },
    waitForGuard: () => until(() => guards.size > 0),
  }
}

function eventText(message: StreamMessage): string {
  return `event: ${message.type}\nid: 1\ndata: ${JSON.stringify(message)}\n\n`
}

function spansOf(traces: OtlpTraces): ReceivedSpan[] {
  return (traces.resourceSpans ?? [])
    .flatMap((resource) => resource.scopeSpans ?? [])
    .flatMap((scope) => scope.spans ?? [])
    .map(({ traceId, spanId, parentSpanId, attributes = [] }) => ({
      traceId,
      spanId,
      parentSpanId: parentSpanId || undefined,
      attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, contentOf(value)])),
    }))
}

function contentOf(value: OtlpValue): unknown {
  if (value.arrayValue) return (value.arrayValue.values ?? []).map(contentOf)
  if (value.intValue !== undefined) return Number(value.intValue)
  return value.stringValue ?? value.doubleValue ?? value.boolValue
}
