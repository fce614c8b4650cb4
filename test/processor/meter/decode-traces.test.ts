import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { decodeTraces } from '../../../processor/src/meter/decode-traces.ts'
import type { AttributeValue } from '../../../processor/src/meter/span-batch.ts'
import {
  type OtlpAttribute,
  type OtlpRequest,
  type OtlpSpan,
  type OtlpValue,
  readable,
  type ReadableSpan,
  toJson,
  toProtobuf,
} from './otlp.ts'

/** Attributes that make a span one of a model, written down here apart from the table under test. */
const MARKING = [
  'gen_ai.operation.name',
  'gen_ai.provider.name',
  'gen_ai.system',
  'gen_ai.request.model',
  'gen_ai.response.model',
  'gen_ai.response.id',
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.prompt_tokens',
  'gen_ai.usage.output_tokens',
  'gen_ai.usage.completion_tokens',
  'gen_ai.usage.cache_read.input_tokens',
  'gen_ai.usage.cache_write.input_tokens',
  'gen_ai.usage.cache_creation.input_tokens',
  'gen_ai.usage.reasoning.output_tokens',
  'tokenfuse.usage.parts',
]
const OF_SPANS = [
  'gen_ai.conversation.id',
  'tokenfuse.step.index',
  'error.type',
  'tokenfuse.verdict',
]
const OF_RESOURCES = ['service.name', 'tokenfuse.guard.id', 'gen_ai.agent.name', 'user.id']
const UNREAD = [
  'gen_ai.input.messages',
  'http.method',
  'gen_ai.usage',
  'gen_ai.usage.input_tokenz',
  '',
]
const TAGS = ['tokenfuse.tag.team', 'tokenfuse.tag.größe', 'tokenfuse.tag.']

// JSON writes -0 as 0.
const doubleArb = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)

const valueArb: fc.Arbitrary<OtlpValue> = fc.letrec<{ value: OtlpValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.record({ stringValue: fc.string({ unit: 'grapheme', maxLength: 80 }) }),
    fc.record({ boolValue: fc.boolean() }),
    fc.record({ intValue: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String) }),
    fc.record({ intValue: fc.nat(100_000).map(String) }),
    fc.record({ doubleValue: doubleArb }),
    fc.record({ bytesValue: fc.uint8Array({ maxLength: 8 }) }),
    fc.constant({}),
    fc.record({ arrayValue: fc.record({ values: fc.array(tie('value'), { maxLength: 4 }) }) }),
    fc.record({
      kvlistValue: fc.record({
        values: fc.array(fc.record({ key: fc.string(), value: tie('value') }), { maxLength: 3 }),
      }),
    }),
  ),
})).value

const attributesArb = (...keys: string[][]): fc.Arbitrary<OtlpAttribute[]> =>
  fc.array(fc.record({ key: fc.constantFrom(...keys.flat()), value: valueArb }), { maxLength: 12 })

const hex = (bytes: number) =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((id) => Buffer.from(id).toString('hex'))

const spanArb: fc.Arbitrary<OtlpSpan> = fc.record(
  {
    traceId: hex(16),
    spanId: hex(8),
    parentSpanId: fc.oneof(hex(8), fc.constant('')),
    name: fc.string(),
    startTimeUnixNano: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    endTimeUnixNano: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
    attributes: attributesArb(MARKING, OF_SPANS, OF_RESOURCES, UNREAD, TAGS),
    events: fc.array(fc.record({ name: fc.string(), attributes: attributesArb(MARKING) }), {
      maxLength: 1,
    }),
    status: fc.record({ code: fc.constantFrom(0, 1, 2), message: fc.string() }),
  },
  { requiredKeys: ['traceId', 'spanId', 'startTimeUnixNano', 'endTimeUnixNano', 'attributes'] },
)

const requestArb: fc.Arbitrary<OtlpRequest> = fc.record({
  resourceSpans: fc.array(
    fc.record(
      {
        resource: fc.record({ attributes: attributesArb(OF_RESOURCES, UNREAD, TAGS, MARKING) }),
        scopeSpans: fc.array(fc.record({ spans: fc.array(spanArb, { maxLength: 5 }) }), {
          maxLength: 3,
        }),
      },
      { requiredKeys: ['scopeSpans'] },
    ),
    { maxLength: 3 },
  ),
})

/** What a request says to the meter, reckoned from the objects that were encoded. */
function expectedSpans(request: OtlpRequest): ReadableSpan[] {
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap(({ spans }) => spans)
      .filter(({ attributes }) => attributes.some(({ key }) => MARKING.includes(key)))
      .map((span) => expectedSpan(span, resource?.attributes ?? [])),
  )
}

function expectedSpan(span: OtlpSpan, resource: OtlpAttribute[]): ReadableSpan {
  const id = (text = '') => (/[1-9a-f]/.test(text) ? text : null)
  const start = BigInt(span.startTimeUnixNano)
  return {
    traceId: id(span.traceId),
    spanId: id(span.spanId),
    parentSpanId: id(span.parentSpanId),
    startTimeMs: Number(start / 1_000_000n),
    durationMs: Number(BigInt(span.endTimeUnixNano) - start) / 1e6,
    failed: span.status?.code === 2,
    attributes: expectedAttributes(span.attributes, [...MARKING, ...OF_SPANS, ...OF_RESOURCES]),
    resource: expectedAttributes(resource, OF_RESOURCES),
  }
}

function expectedAttributes(list: OtlpAttribute[], read: string[]): [string, AttributeValue][] {
  return list
    .filter(({ key }) => read.includes(key) || /^tokenfuse\.tag\../.test(key))
    .map(({ key, value }) => [key, expectedValue(value)])
}

function expectedValue(value: OtlpValue): AttributeValue {
  if (value.stringValue !== undefined) return value.stringValue
  if (value.boolValue !== undefined) return value.boolValue
  if (value.doubleValue !== undefined) return value.doubleValue
  if (value.intValue !== undefined) {
    const number = Number(value.intValue)
    return Number.isSafeInteger(number) ? number : BigInt(value.intValue)
  }
  if (value.arrayValue) {
    return value.arrayValue.values.flatMap(({ stringValue }) => stringValue ?? [])
  }
  if (value.kvlistValue) return { other: 'kvlist' }
  return value.bytesValue ? { other: 'bytes' } : null
}

suite('decodeTraces', () => {
  test('reads from protobufjs encoded protobuf exactly what was put in', () => {
    fc.assert(
      fc.property(requestArb, (request) => {
        const batch = decodeTraces(toProtobuf(request), 'protobuf')
        assert.deepEqual(readable(batch), expectedSpans(request))
        const spans = request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans)
        const total = spans.reduce((sum, scope) => sum + scope.spans.length, 0)
        assert.equal(batch.count + batch.otherSpans, total)
      }),
    )
  })

  test('reads the same from JSON as from protobuf', () => {
    fc.assert(
      fc.property(requestArb, (request) => {
        const fromJson = decodeTraces(toJson(request), 'json')
        assert.deepEqual(fromJson, decodeTraces(toProtobuf(request), 'protobuf'))
      }),
    )
  })
})
