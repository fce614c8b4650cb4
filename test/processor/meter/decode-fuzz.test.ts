import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { PriceCatalogue, TokenfuseError, usageEventSchema } from '@tokenfuse/protocol'
import fc from 'fast-check'
import { decodeTraces, type OtlpEncoding } from '../../../processor/src/meter/decode-traces.ts'
import { meterSpans } from '../../../processor/src/meter/meter-spans.ts'
import type { SpanBatch } from '../../../processor/src/meter/span-batch.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'
import { otlpRequest, otlpSpan, START_MS, toJson, toProtobuf } from './otlp.ts'

const sample = otlpRequest(
  [
    otlpSpan({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4o',
      'gen_ai.usage.input_tokens': 1200,
      'gen_ai.usage.output_tokens': 310,
      'tokenfuse.tool.call.keys': ['a', 'b'],
      'tokenfuse.tag.team': 'red',
      'tokenfuse.usage.parts': '[]',
      'http.method': 'POST',
    }),
    otlpSpan({ 'gen_ai.system': 'anthropic', 'gen_ai.response.id': 'msg_1', big: 2n ** 60n }),
  ],
  { 'service.name': 'api', 'tokenfuse.guard.id': 'guard-0001', 'tokenfuse.dropped.spans': 3 },
)
const SAMPLES: Readonly<Record<OtlpEncoding, Uint8Array>> = {
  protobuf: toProtobuf(sample),
  json: toJson(sample),
}

type Edit = { at: number; remove: number; insert: Uint8Array }

const editsArb: fc.Arbitrary<Edit[]> = fc.array(
  fc.record({
    at: fc.nat(2000),
    remove: fc.nat(6),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      // Bytes that steer protobuf and characters that steer JSON.
      fc.constantFrom([0x80, 0x80], [0xff, 0x7f], [0x0a], [0]).map((b) => Uint8Array.from(b)),
      fc
        .constantFrom('{', '}', '[', ']', '"', ',', 'null', '-1', '1e999')
        .map((t) => Buffer.from(t)),
    ),
  }),
  { minLength: 1, maxLength: 4 },
)

function edited(bytes: Uint8Array, edits: Edit[]): Uint8Array {
  return edits.reduce((result, { at, remove, insert }) => {
    const from = at % (result.length + 1)
    return Buffer.concat([result.subarray(0, from), insert, result.subarray(from + remove)])
  }, bytes)
}

/** Decodes; `null` where the payload was refused in the one way it may be. */
function decoded(body: Uint8Array, encoding: OtlpEncoding): SpanBatch | null {
  try {
    return decodeTraces(body, encoding)
  } catch (error) {
    assert.ok(TokenfuseError.isInstance(error), String(error))
    assert.equal(error.code, 'otlp_malformed')
    return null
  }
}

const options = {
  catalogue: new PriceCatalogue(),
  overridesVersion: null,
  defaultTenant: 'default',
  nowMs: START_MS,
  source: 'test',
}

/** Whatever was read: every event holds, and every dead letter is found wrong again, for the same reason. */
function assertMetered(batch: SpanBatch): void {
  const { events, guardEnds, deadLetters, ignored } = meterSpans(batch, options)
  for (const event of events) assert.deepEqual(usageEventSchema.parse(event), event)
  const ignoredCount = Object.values(ignored).reduce((sum, spans) => sum + spans, 0)
  const handled = events.length + guardEnds.length + deadLetters.length
  assert.equal(handled + ignoredCount, batch.count + batch.otherSpans)
  for (const letter of deadLetters) {
    const again = meterSpans(decodeTraces(letter.payload, 'json'), options)
    assert.deepEqual(again.events, [])
    assert.equal(again.deadLetters.length, 1)
    assert.equal(again.deadLetters[0]?.code, letter.code)
  }
}

suite('whatever bytes come', () => {
  for (const encoding of ['protobuf', 'json'] as const) {
    test(`random ones as ${encoding} are read or refused as malformed`, () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
          const batch = decoded(bytes, encoding)
          if (batch) assertMetered(batch)
        }),
        { interruptAfterTimeLimit: FUZZ_MS / 4, numRuns: 1_000_000 },
      )
    })

    test(`a valid ${encoding} payload with bytes changed is read or refused as malformed`, () => {
      fc.assert(
        fc.property(editsArb, (edits) => {
          const batch = decoded(edited(SAMPLES[encoding], edits), encoding)
          if (batch) assertMetered(batch)
        }),
        { interruptAfterTimeLimit: FUZZ_MS / 2, numRuns: 1_000_000 },
      )
    })
  }

  test('JSON of any shape is read or refused as malformed', () => {
    const keys = [
      'resourceSpans',
      'resource',
      'scopeSpans',
      'spans',
      'attributes',
      'traceId',
      'key',
    ]
    const json = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { depthSize: 'medium' },
        fc.constantFrom(null, true, -1, 1e300, '', 'gen_ai.request.model', 'x'),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys, 'value', 'stringValue', '__proto__'), tie('any')),
      ),
    })).any
    fc.assert(
      fc.property(json, (value) => {
        const batch = decoded(Buffer.from(JSON.stringify({ resourceSpans: value })), 'json')
        if (batch) assertMetered(batch)
      }),
      { interruptAfterTimeLimit: FUZZ_MS / 4, numRuns: 1_000_000 },
    )
  })
})

suite('a payload made to be costly', () => {
  const MEBIBYTE = 2 ** 20

  test('of empty spans or resources alone leaves nothing in the batch', () => {
    const empties = Buffer.alloc(MEBIBYTE, Buffer.from([0x12, 0]))
    const header = (content: Uint8Array, tag: number) => {
      const length = [content.length, content.length >>> 7, content.length >>> 14]
      const [low = 0, middle = 0, high = 0] = length
      return Buffer.concat([
        Buffer.from([tag, (low & 0x7f) | 0x80, (middle & 0x7f) | 0x80, high & 0x7f]),
        content,
      ])
    }
    const batch = decodeTraces(header(header(empties, 0x12), 0x0a), 'protobuf')
    assert.equal(batch.otherSpans, MEBIBYTE / 2)
    assert.equal(batch.count, 0)
    assert.equal(batch.ids.length, 0)

    const resources = decodeTraces(Buffer.alloc(MEBIBYTE, Buffer.from([0x0a, 0])), 'protobuf')
    assert.equal(resources.resourceAttributes.ends.length, 0)
  })

  test('of lengths without bytes, deep nesting or huge numbers is refused in no time', () => {
    const claims = Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x07])
    assert.equal(decoded(claims, 'protobuf'), null)
    assert.equal(decoded(Buffer.alloc(MEBIBYTE, 0xff), 'protobuf'), null)
    assert.equal(decoded(Buffer.alloc(MEBIBYTE, '['), 'json'), null)
    const nested = `{"resourceSpans":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
    assert.equal(decoded(Buffer.from(nested), 'json'), null)
    assert.equal(decoded(Buffer.alloc(MEBIBYTE, '9'), 'json'), null)
  })

  test('of spans that are all wrong takes time in proportion to its size', () => {
    const wrong = otlpSpan({ 'gen_ai.request.model': 'm', 'gen_ai.usage.input_tokens': -1 })
    const body = (spans: number) =>
      toJson(
        otlpRequest(Array<typeof wrong>(spans).fill({ ...wrong, traceId: '00' }), {
          'service.name': 's'.repeat(100_000),
        }),
      )
    const { deadLetters } = meterSpans(decodeTraces(body(2000), 'json'), options)
    assert.equal(deadLetters.length, 2000)
    const bytes = deadLetters.reduce((sum, { payload }) => sum + payload.length, 0)
    assert.ok(bytes < 2000 * 1500, `${bytes} bytes of dead letters`)
  })
})
