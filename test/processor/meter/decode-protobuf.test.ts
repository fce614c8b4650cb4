import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { TokenfuseError } from '@tokenfuse/protocol'
import { decodeProtobuf } from '../../../processor/src/meter/decode-protobuf.ts'
import { otlpRequest, otlpSpan, readable, toProtobuf } from './otlp.ts'
import {
  attribute,
  bytesField,
  fixed32Field,
  fixed64Field,
  requestOf,
  varint,
  varintField,
  wrap,
} from './wire.ts'

const INPUT = 'gen_ai.usage.input_tokens'

/** The attributes of the one span but the model that every such span has. */
function attributesOf(body: Uint8Array) {
  const [span] = readable(decodeProtobuf(body))
  return span?.attributes.filter(([name]) => name !== 'gen_ai.request.model')
}

const assertMalformed = (body: Uint8Array, message: RegExp) =>
  assert.throws(
    () => decodeProtobuf(body),
    (error) => {
      assert.ok(TokenfuseError.isInstance(error))
      assert.equal(error.code, 'otlp_malformed')
      assert.match(error.message, message)
      return true
    },
  )

suite('an attribute in protobuf', () => {
  const valueOf = (value: number[]) => attributesOf(requestOf(attribute(INPUT, value)))?.[0]?.[1]

  test('has the value of its type, whatever type that is', () => {
    const double = [...Buffer.from(new Float64Array([12.5]).buffer)]
    assert.equal(valueOf(varintField(3, 1200)), 1200)
    assert.equal(valueOf(bytesField(1, '1200')), '1200')
    assert.equal(valueOf([...varint(4 * 8 + 1), ...double]), 12.5)
    assert.equal(valueOf(varintField(2, 1)), true)
    assert.equal(valueOf(varintField(2, 0)), false)
    assert.deepEqual(valueOf(bytesField(6, [])), { other: 'kvlist' })
    assert.deepEqual(valueOf(bytesField(7, [1, 2])), { other: 'bytes' })
    assert.equal(valueOf([]), null)
  })

  test('keeps integers exact on both sides of what a number can hold', () => {
    for (const value of [2n ** 27n, 2n ** 28n, 2n ** 31n, 2n ** 32n, 2n ** 35n, 2n ** 53n - 1n]) {
      assert.equal(valueOf(varintField(3, value)), Number(value))
      assert.equal(valueOf(varintField(3, -value)), Number(-value))
    }
    for (const value of [2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n), -(2n ** 53n)]) {
      assert.equal(valueOf(varintField(3, value)), value)
    }
  })

  test('may have numbers and lengths longer than they need be', () => {
    assert.equal(valueOf([3 * 8, ...varint(7, 10)]), 7)
    assert.equal(valueOf([...varint(3 * 8, 5), ...varint(-1)]), -1)
    // A text of 5 bytes whose length is written in two, in a message of 0x85 + 2 bytes.
    const text = [0x0a, ...varint(5, 2), ...Buffer.from('hello')]
    assert.equal(
      valueOf([...text, ...bytesField(100, '#'.repeat(0x85 + 2 - text.length - 3))]),
      'hello',
    )
  })

  test('gives of an array its texts, and nothing of what nests in it', () => {
    const nested = bytesField(5, bytesField(1, bytesField(1, 'inner')))
    const values = [bytesField(1, 'a'), varintField(3, 1), nested, bytesField(1, 'b')]
    const array = values.flatMap((value) => bytesField(1, value))
    assert.deepEqual(valueOf(bytesField(5, array)), ['a', 'b'])
  })

  test('counts by the last of several values, and keeps every repetition of its key in order', () => {
    assert.equal(valueOf([...varintField(3, 1), ...bytesField(1, 'x')]), 'x')
    const twice = requestOf(
      attribute(INPUT, varintField(3, 1)),
      attribute(INPUT, varintField(3, 2)),
    )
    assert.deepEqual(attributesOf(twice), [
      [INPUT, 1],
      [INPUT, 2],
    ])
  })

  test('may have its value before its key, unknown fields between, or no value at all', () => {
    const value = bytesField(2, varintField(3, 5))
    const backwards = [...value, ...varintField(77, 3), ...bytesField(1, INPUT)]
    assert.deepEqual(attributesOf(requestOf(bytesField(9, backwards))), [[INPUT, 5]])
    assert.deepEqual(attributesOf(requestOf(bytesField(9, bytesField(1, INPUT)))), [[INPUT, null]])
    const twice = [...bytesField(1, INPUT), ...value, ...bytesField(2, varintField(3, 6))]
    assert.deepEqual(attributesOf(requestOf(bytesField(9, twice))), [[INPUT, 6]])
    const renamed = [...bytesField(1, 'x'), ...value, ...bytesField(1, INPUT)]
    assert.deepEqual(attributesOf(requestOf(bytesField(9, renamed))), [[INPUT, 5]])
    assert.deepEqual(attributesOf(requestOf(bytesField(9, value), bytesField(9, []))), [])
  })

  test('with bytes that are no UTF-8 keeps the rest of its text', () => {
    const text = [0x61, 0xff, 0xc3, 0x28, 0x62]
    assert.equal(valueOf(bytesField(1, text)), 'a\uFFFD\uFFFD(b')
    assert.equal(valueOf(bytesField(1, [0xef, 0xbb, 0xbf, 0x61])), '\uFEFFa')
  })

  test('is told apart from names that differ by one byte, begin alike or are longer', () => {
    const unlike = [`${INPUT}s`, INPUT.slice(0, -1), INPUT.replace('t', 'T'), 'gen_ai.usage', '\0']
    const body = requestOf(...unlike.map((key) => attribute(key, varintField(3, 5))))
    assert.deepEqual(attributesOf(body), [])
  })

  test('shares one string with equal texts, and never with different ones', () => {
    const users = ['u-1', 'u-2', 'u-1', '', 'u-1\u00e9', 'long '.repeat(20), 'u-2']
    const spans = users.map((user) => otlpSpan({ 'gen_ai.request.model': 'm', 'user.id': user }))
    const read = readable(decodeProtobuf(toProtobuf(otlpRequest(spans))))
    assert.deepEqual(
      read.map((span) => span.attributes[1]?.[1]),
      users,
    )
  })
})

suite('a span in protobuf', () => {
  const id = Array.from({ length: 16 }, (_, i) => i + 1)
  const fields = [
    bytesField(1, id),
    bytesField(2, id.slice(0, 8)),
    bytesField(4, id.slice(8)),
    fixed64Field(7, 1_767_323_045_678_000_001n),
    fixed64Field(8, 1_767_323_045_679_500_001n),
    attribute(INPUT, varintField(3, 5)),
    bytesField(15, varintField(3, 2)),
  ]
  const expected = {
    traceId: '0102030405060708090a0b0c0d0e0f10',
    spanId: '0102030405060708',
    parentSpanId: '090a0b0c0d0e0f10',
    startTimeMs: 1_767_323_045_678,
    durationMs: 1.5,
    failed: true,
    attributes: [
      [INPUT, 5],
      ['gen_ai.request.model', 'm'],
    ],
    resource: [],
  }

  test('may have its fields in any order, the last of each holding', () => {
    assert.deepEqual(readable(decodeProtobuf(requestOf(...fields))), [expected])
    assert.deepEqual(readable(decodeProtobuf(requestOf(...fields.toReversed()))), [expected])
    const older = [
      bytesField(1, [1]),
      bytesField(1, id.toReversed()),
      fixed64Field(7, 5n),
      bytesField(15, []),
    ]
    assert.deepEqual(readable(decodeProtobuf(requestOf(...older, ...fields))), [expected])
  })

  test('may carry fields of any number and type that nobody knows', () => {
    const unknown = [
      varintField(1000, 2n ** 64n - 1n),
      fixed64Field(17, 3n),
      fixed32Field(16),
      bytesField(18, [0xff, 0xff]),
      bytesField(11, [1, 2, 3]),
      varintField(2 ** 29 - 1, 1),
      // Known fields with a wire type that is not theirs: a packed or a bare scalar.
      bytesField(7, [1]),
      varintField(1, 7),
      varintField(9, 7),
    ]
    const between = fields.flatMap((field, i) => [unknown[i] ?? [], field])
    assert.deepEqual(readable(decodeProtobuf(requestOf(...between, ...unknown))), [expected])
  })

  test('with an id of a wrong length is marked, and the spans after it are read', () => {
    const short = requestOf(bytesField(1, id.slice(1)), bytesField(2, id))
    const batch = decodeProtobuf(Uint8Array.from([...short, ...requestOf(...fields)]))
    assert.equal(batch.faults.get(0), 'its trace id has 15 bytes instead of 16')
    assert.equal(batch.faults.size, 1)
    assert.equal(readable(batch)[0]?.traceId, null)
    assert.deepEqual(readable(batch)[1], expected)
  })

  test('without a word of a model is counted and not kept, whatever else it holds', () => {
    const other = wrap([...bytesField(1, [1]), ...attribute('user.id', bytesField(1, 'u'))])
    const batch = decodeProtobuf(Uint8Array.from([...other, ...other, ...requestOf(...fields)]))
    assert.equal(batch.otherSpans, 2)
    assert.equal(batch.faults.size, 0)
    assert.deepEqual(readable(batch), [expected])
  })

  test('finds its resource before or behind it', () => {
    const resource = bytesField(1, attribute('service.name', bytesField(1, 'api'), 1))
    const [scope] = [bytesField(2, bytesField(2, attribute(INPUT, varintField(3, 1))))]
    for (const content of [
      [...resource, ...scope],
      [...scope, ...resource],
    ]) {
      const other = bytesField(1, bytesField(1, attribute('service.name', bytesField(1, 'x'), 1)))
      const body = [...other, ...bytesField(1, content), ...other]
      const [span] = readable(decodeProtobuf(Uint8Array.from(body)))
      assert.deepEqual(span?.resource, [['service.name', 'api']])
    }
  })
})

suite('a malformed protobuf payload', () => {
  const valid = toProtobuf(
    otlpRequest([otlpSpan({ [INPUT]: 300, 'gen_ai.request.model': 'gpt-4o' })], {
      'service.name': 'api',
    }),
  )

  test('is refused wherever it is cut short, and named with the byte', () => {
    assert.equal(decodeProtobuf(valid).count, 1)
    for (let length = 1; length < valid.length; length++) {
      assertMalformed(valid.subarray(0, length), /at byte \d+/)
    }
    assert.equal(decodeProtobuf(new Uint8Array(0)).count, 0)
  })

  test('is refused for a length beyond its message, be it as large as can be', () => {
    for (const length of [5, 2 ** 31, 2 ** 32 + 1, 2n ** 53n, 2n ** 64n - 1n]) {
      assertMalformed(Uint8Array.from([0x0a, ...varint(length), 1]), /a length beyond the end/)
    }
    // The inner message must end within the outer one, even though the payload goes on.
    const inner = [0x0a, 9, 1]
    const body = [...bytesField(1, bytesField(2, bytesField(2, inner))), ...valid]
    assertMalformed(Uint8Array.from(body), /a length beyond the end/)
  })

  test('is refused for groups, unknown wire types, field 0 and endless varints', () => {
    for (const wireType of [3, 4, 6, 7]) {
      assertMalformed(Uint8Array.from([8 + wireType, 0]), /a group or an unknown wire type/)
    }
    assertMalformed(Uint8Array.from([0x02, 0]), /an impossible field number at byte 1/)
    assertMalformed(Uint8Array.from(varint(2n ** 35n + 8n)), /an impossible field number/)
    const endless = Array.from({ length: 11 }, () => 0x80)
    assertMalformed(Uint8Array.from([8, ...endless, 0]), /a varint of more than ten bytes/)
    assertMalformed(requestOf(attribute(INPUT, [3 * 8, ...endless, 0])), /more than ten bytes/)
  })
})
