import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc'
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace'
import { ENV_OTLP_HEADERS } from '@tokenfuse/protocol'
import { initKafka } from '../../processor/src/log/kafka/init-topics.ts'
import { SPANS_TOPIC } from '../../processor/src/log/kafka/topics.ts'
import {
  type Collector,
  COLLECTOR_CONFIG,
  startCollector,
  validateCollectorConfig,
} from '../../scripts/stack/collector.ts'
import { attributes, otlpRequest, type OtlpSpan, toJson } from '../processor/meter/otlp.ts'
import { callSpan } from '../support/spans.ts'
import { makeTemporaryFolder } from '../support/processes.ts'
import { requireTools, testBrokers } from '../support/stack.ts'
import { SpanTopic } from './support/span-topic.ts'

requireTools()
const folder = makeTemporaryFolder()
const TOKEN = randomBytes(16).toString('hex')
/** Of `ExportResult`. */
const SUCCESS = 0
const FAILED = 1
const SECRET = 'the password of the prompt is swordfish'
let collector: Collector
let topic: SpanTopic

before(async () => {
  const brokers = await testBrokers()
  await initKafka({ brokers: [brokers], tls: null, sasl: null })
  collector = await startCollector({ folder: folder.path, kafkaBrokers: brokers, token: TOKEN })
  topic = await SpanTopic.open(SPANS_TOPIC)
})

after(async () => {
  await Promise.all([topic?.close(), collector?.stop()])
  folder.remove()
})

function post(signal: string, body: unknown, token = TOKEN): Promise<Response> {
  return fetch(`${collector.url}/v1/${signal}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  })
}

async function send(...spans: OtlpSpan[]): Promise<void> {
  const request = JSON.parse(Buffer.from(toJson(otlpRequest(spans))).toString()) as unknown
  const response = await post('traces', request)
  assert.equal(response.status, 200, await response.text())
}

/** What arrives in Kafka of one call with these values, and the bytes of the record that brought it. */
async function arrived(values: Readonly<Record<string, unknown>>, more: object = {}) {
  const span = { ...callSpan(values), ...more }
  await send(span)
  return topic.find(span.traceId)
}

test('the file is valid', async () => {
  await validateCollectorConfig(COLLECTOR_CONFIG, join(folder.path, 'validate'))
})

test('without the token nothing is taken', async () => {
  const body = { resourceSpans: [] }
  assert.equal((await post('traces', body, 'wrong')).status, 401)
  assert.equal((await post('metrics', { resourceMetrics: [] }, 'wrong')).status, 401)
})

test('spans come by gRPC too, by the same token alone', async () => {
  const exportWith = async (token: string) => {
    process.env[ENV_OTLP_HEADERS] = `authorization=Bearer%20${token}`
    const exporter = new OTLPTraceExporter({ url: `http://127.0.0.1:${collector.ports.grpc}` })
    delete process.env[ENV_OTLP_HEADERS]
    const provider = new TracerProvider({ spanProcessors: [] })
    const span = provider.getTracer('test').startSpan('chat', {
      attributes: { 'gen_ai.operation.name': 'chat', 'gen_ai.usage.input_tokens': 77 },
    })
    span.end()
    const { code } = await new Promise<{ code: number }>((resolve) =>
      exporter.export([span as unknown as ReadableSpan], resolve),
    )
    await exporter.shutdown()
    return { code, traceId: span.spanContext().traceId }
  }
  assert.equal((await exportWith('wrong')).code, FAILED)
  const { code, traceId } = await exportWith(TOKEN)
  assert.equal(code, SUCCESS)
  assert.equal((await topic.find(traceId)).value('gen_ai.usage.input_tokens')?.intValue, '77')
})

test('content goes, wherever it stands in a span', async () => {
  const span = {
    ...callSpan({
      'gen_ai.input.messages': SECRET,
      'gen_ai.prompt.0.content': SECRET,
      'llm.prompts': SECRET,
      'tokenfuse.whatever': SECRET,
    }),
    name: SECRET,
    traceState: `a=${SECRET}`,
    status: { code: 2, message: SECRET },
    events: [{ name: SECRET, timeUnixNano: '1', attributes: attributes({ content: SECRET }) }],
    links: [
      {
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: 'b7ad6b7169203331',
        traceState: `b=${SECRET}`,
        attributes: attributes({ prompt: SECRET }),
      },
    ],
  }
  const response = await post('traces', {
    resourceSpans: [
      {
        resource: { attributes: attributes({ 'service.name': 'api', prompt: SECRET }) },
        scopeSpans: [
          {
            scope: { name: 'any', attributes: attributes({ prompt: SECRET }) },
            spans: [span],
          },
        ],
      },
    ],
  })
  assert.equal(response.status, 200)
  const found = await topic.find(span.traceId)
  assert.equal(found.record.includes('swordfish'), false)
  assert.equal(found.span['events'], undefined)
  assert.equal(found.span['links'], undefined)
  assert.equal(found.value('gen_ai.usage.input_tokens')?.intValue, '100')
  assert.ok(found.record.includes('api'), 'the resource keeps its service')
})

test('what is counted arrives as it was sent: integers to the last digit, tags, parts and the verdict', async () => {
  const parts = JSON.stringify(
    Array.from({ length: 64 }, (_, index) => ({
      part: 'message',
      model: `a-model-with-a-long-name-${index}`,
      tokens: {
        input: index,
        cacheRead: 0,
        cacheWrite: 0,
        cacheWrite1h: 0,
        output: 1,
        reasoning: 0,
      },
      webSearches: 0,
    })),
  )
  assert.ok(parts.length > 8000)
  const sent = {
    'gen_ai.usage.input_tokens': Number.MAX_SAFE_INTEGER,
    'gen_ai.usage.prompt_tokens': 4_111_111_111_111_111,
    'gen_ai.response.finish_reasons': ['stop', 'length'],
    'tokenfuse.usage.parts': parts,
    'tokenfuse.verdict': JSON.stringify({
      action: 'allow',
      reserve: '1',
      cap: null,
      decision: null,
    }),
    'tokenfuse.tag.team': 'red',
    'tokenfuse.agent.callers': ['boss', 'deputy'],
  }
  const found = await arrived(sent)
  for (const { key, value } of attributes(sent)) assert.deepEqual(found.value(key), value, key)
})

test('spans that are no model call stay behind; a guard’s last word and older dialects pass', async () => {
  const other = { ...callSpan(), attributes: attributes({ 'http.route': '/chat' }) }
  const end = { ...callSpan(), attributes: attributes({ 'tokenfuse.guard.end': true }) }
  const older = {
    ...callSpan(),
    attributes: attributes({ 'gen_ai.system': 'openai', 'gen_ai.request.model': 'gpt-4o' }),
  }
  await send(other, end, older)
  assert.equal((await topic.find(end.traceId)).value('tokenfuse.guard.end')?.boolValue, true)
  assert.equal((await topic.find(older.traceId)).value('gen_ai.system')?.stringValue, 'openai')
  // What was sent together arrives together.
  assert.equal(topic.has(other.traceId), false)
})

test('a span that is too large for Kafka is made to fit: its counts arrive', async () => {
  const long = 'x'.repeat(2_000_000)
  const tags = Object.fromEntries(
    Array.from({ length: 3000 }, (_, index) => [`tokenfuse.tag.t${index}`, 'y'.repeat(1000)]),
  )
  const sizes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    'a long name': { 'gen_ai.agent.name': long },
    'many tags': tags,
    'a tag of a long name': { [`tokenfuse.tag.${long}`]: 'z' },
    'a long list': {
      'gen_ai.response.finish_reasons': Array.from({ length: 2000 }, () => 'w'.repeat(1000)),
    },
    'long tool keys': {
      'tokenfuse.tool.call.keys': Array.from({ length: 2000 }, () => 'w'.repeat(1000)),
    },
    'a long verdict': { 'tokenfuse.verdict': long },
  }
  for (const [name, values] of Object.entries(sizes)) {
    const found = await arrived(values)
    assert.equal(found.value('gen_ai.usage.input_tokens')?.intValue, '100', name)
    assert.equal(found.value('tokenfuse.task.id')?.stringValue, 't-1', name)
    assert.ok(found.record.length < 900_000, `${name}: ${found.record.length} bytes`)
  }
  const parts = await arrived({ 'tokenfuse.usage.parts': JSON.stringify([long]) })
  // No JSON, so the meter sets the span aside instead of counting half of it.
  assert.equal(parts.value('tokenfuse.usage.parts')?.stringValue, 'too long')
})

test('values of a kind that nobody sends hold up nothing', async () => {
  const odd = {
    'tokenfuse.usage.parts': 7,
    'tokenfuse.usage.problems': 'text',
    'tokenfuse.tool.call.keys': true,
    'gen_ai.response.finish_reasons': 1,
  }
  const found = await arrived(odd)
  for (const { key, value } of attributes(odd)) assert.deepEqual(found.value(key), value, key)
})

test('metrics of agents come to Prometheus without users; other metrics do not', async () => {
  const now = `${Date.now()}000000`
  const sum = (name: string) => ({
    name,
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [
        {
          asInt: '7',
          timeUnixNano: now,
          startTimeUnixNano: now,
          attributes: attributes({ 'gen_ai.request.model': 'gpt-4o', 'user.id': SECRET }),
        },
      ],
    },
  })
  const response = await post('metrics', {
    resourceMetrics: [
      {
        resource: { attributes: attributes({ 'service.name': 'api', 'user.id': SECRET }) },
        scopeMetrics: [
          { metrics: [sum('gen_ai.client.operation.errors'), sum('process.secrets')] },
        ],
      },
    ],
  })
  assert.equal(response.status, 200)
  const text = await (await fetch(collector.metricsUrl)).text()
  assert.match(
    text,
    /^gen_ai_client_operation_errors_total\{.*gen_ai_request_model="gpt-4o".*\} 7$/m,
  )
  assert.equal(text.includes('swordfish'), false)
  assert.equal(text.includes('process_secrets'), false)
})
