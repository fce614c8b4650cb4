import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import type { TestContext } from 'node:test'
import { type OtlpValue, spansOfProtobuf } from '../../processor/meter/otlp.ts'

export type CollectedSpan = {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  /** Empty where there is none. */
  readonly parentSpanId: string
  readonly attributes: Readonly<Record<string, unknown>>
}

type DataPoint = {
  readonly attributes?: readonly { readonly key: string; readonly value: OtlpValue }[]
  readonly asInt?: string | number
  readonly asDouble?: number
  readonly count?: string | number
}
type Metric = { readonly name: string } & Readonly<
  Partial<Record<'sum' | 'gauge' | 'histogram', { readonly dataPoints: readonly DataPoint[] }>>
>

export type FakeCollector = {
  readonly url: string
  /** Spans that came as protobuf, from OpenTelemetry; those of the preload come as JSON. */
  readonly sdkSpans: readonly CollectedSpan[]
  readonly preloadSpans: readonly CollectedSpan[]
  /** Of the newest export: each metric's points as `[value or count, attributes]`. */
  readonly metrics: ReadonlyMap<string, readonly [number, Readonly<Record<string, unknown>>][]>
  /** Everything that came, as text. */
  readonly bytes: string
}

/** Takes OTLP from whoever sends it. */
export async function startFakeCollector(t: TestContext): Promise<FakeCollector> {
  const sdkSpans: CollectedSpan[] = []
  const preloadSpans: CollectedSpan[] = []
  const metrics = new Map<string, [number, Readonly<Record<string, unknown>>][]>()
  let text = ''
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const packed = Buffer.concat(chunks)
      const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(packed) : packed
      text += bytes.toString('latin1')
      const isJson = request.headers['content-type']?.includes('json') ?? false
      if (request.url === '/v1/metrics') {
        for (const { name, points } of pointsOf(bytes)) metrics.set(name, points)
      } else if (isJson) preloadSpans.push(...spansOfJson(bytes))
      else sdkSpans.push(...spansOfProtobuf(bytes).map(collected))
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    sdkSpans,
    preloadSpans,
    metrics,
    get bytes() {
      return text
    },
  }
}

function pointsOf(bytes: Buffer) {
  const body = JSON.parse(bytes.toString()) as {
    resourceMetrics: { scopeMetrics: { metrics: Metric[] }[] }[]
  }
  return body.resourceMetrics
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap((scope) => scope.metrics)
    .map(({ name, sum, gauge, histogram }) => ({
      name,
      points: ((sum ?? gauge ?? histogram)?.dataPoints ?? []).map(
        (point): [number, Readonly<Record<string, unknown>>] => [
          Number(point.count ?? point.asInt ?? point.asDouble),
          attributesOf(point.attributes),
        ],
      ),
    }))
}

function spansOfJson(bytes: Buffer): CollectedSpan[] {
  const body = JSON.parse(bytes.toString()) as {
    resourceSpans: { scopeSpans: { spans: Parameters<typeof collected>[0][] }[] }[]
  }
  return body.resourceSpans
    .flatMap(({ scopeSpans }) => scopeSpans)
    .flatMap(({ spans }) => spans)
    .map(collected)
}

function collected(span: Readonly<Record<string, unknown>>): CollectedSpan {
  const hex = (id: unknown) =>
    id instanceof Uint8Array ? Buffer.from(id).toString('hex') : typeof id === 'string' ? id : ''
  return {
    name: String(span['name']),
    traceId: hex(span['traceId']),
    spanId: hex(span['spanId']),
    parentSpanId: hex(span['parentSpanId']),
    attributes: attributesOf(span['attributes'] as DataPoint['attributes']),
  }
}

function attributesOf(list: DataPoint['attributes']): Record<string, unknown> {
  return Object.fromEntries(
    (list ?? []).map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]),
  )
}
