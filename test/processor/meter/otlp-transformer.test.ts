import assert from 'node:assert/strict'
import { test } from 'node:test'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { decodeTraces } from '../../../processor/src/meter/decode-traces.ts'
import { readable, START_MS } from './otlp.ts'

const ATTRIBUTES = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.usage.input_tokens': 1200,
  'gen_ai.usage.output_tokens': 2 ** 40,
  'gen_ai.request.model': 'größe-🚀',
  'tokenfuse.step.index': -3,
  'tokenfuse.usage.counted': false,
  'tokenfuse.savings.input_tokens': 0.5,
  'tokenfuse.tool.call.keys': ['a', 'b'],
  'tokenfuse.tag.team': 'red',
}

test('spans of the OpenTelemetry SDK are read from either of its encoders as they were made', () => {
  const exporter = new InMemorySpanExporter()
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
  const tracer = provider.getTracer('test', '1.0')
  const parent = tracer.startSpan('agent', { startTime: START_MS })
  const inParent = trace.setSpan(context.active(), parent)
  const child = tracer.startSpan(
    'chat größe-🚀',
    {
      kind: SpanKind.CLIENT,
      startTime: START_MS,
      attributes: { ...ATTRIBUTES, 'gen_ai.input.messages': 'never read' },
      links: [{ context: parent.spanContext(), attributes: { 'gen_ai.request.model': 'linked' } }],
    },
    inParent,
  )
  child.addEvent('content', { 'gen_ai.request.model': 'of an event' })
  child.setStatus({ code: SpanStatusCode.ERROR, message: 'timeout' })
  child.end(START_MS + 812.5)
  parent.end(START_MS + 900)

  const spans = exporter.getFinishedSpans()
  for (const [serializer, encoding] of [
    [ProtobufTraceSerializer, 'protobuf'],
    [JsonTraceSerializer, 'json'],
  ] as const) {
    const body = serializer.serializeRequest(spans)
    assert.ok(body)
    const batch = decodeTraces(body, encoding)
    assert.equal(batch.otherSpans, 1)
    const [span, ...others] = readable(batch)
    assert.deepEqual(others, [])
    assert.ok(span)
    const { attributes, resource, ...rest } = span
    assert.deepEqual(Object.fromEntries(attributes), ATTRIBUTES)
    assert.deepEqual(
      resource.map(([name]) => name),
      ['service.name'],
    )
    assert.deepEqual(rest, {
      traceId: parent.spanContext().traceId,
      spanId: child.spanContext().spanId,
      parentSpanId: parent.spanContext().spanId,
      startTimeMs: START_MS,
      durationMs: 812.5,
      failed: true,
    })
  }
})
