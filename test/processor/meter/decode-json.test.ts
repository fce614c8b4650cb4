import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { TokenfuseError } from '@tokenfuse/protocol'
import { decodeJson } from '../../../processor/src/meter/decode-json.ts'
import { otlpSpan, readable, SPAN_ID, START_MS, TRACE_ID } from './otlp.ts'

const MODEL = { key: 'gen_ai.request.model', value: { stringValue: 'gpt-4o' } }

const decode = (value: unknown) => decodeJson(Buffer.from(JSON.stringify(value)))
const requestOf = (...spans: unknown[]) => ({ resourceSpans: [{ scopeSpans: [{ spans }] }] })
const spanOf = (overrides: object) => ({ ...otlpSpan({}), attributes: [MODEL], ...overrides })

function only(overrides: object) {
  const batch = decode(requestOf(spanOf(overrides)))
  const [span] = readable(batch)
  return { span, fault: batch.faults.get(0) }
}

/** What an AnyValue of this JSON is read as. */
function valueOf(value: unknown) {
  const attributes = [MODEL, { key: 'gen_ai.usage.input_tokens', value }]
  return only({ attributes }).span?.attributes[1]?.[1]
}

suite('an id in JSON', () => {
  const traceIdOf = (traceId: unknown) => {
    const { span, fault } = only({ traceId })
    return fault ?? span?.traceId
  }

  test('is hex in either case, or base64 of either alphabet, padded or not', () => {
    const bytes = Buffer.from('fbefbefbefbefbefbefbefbefbefbeff', 'hex')
    const hex = bytes.toString('hex')
    for (const text of [
      hex,
      hex.toUpperCase(),
      bytes.toString('base64'),
      bytes.toString('base64url'),
    ]) {
      assert.equal(traceIdOf(text), hex, text)
    }
    assert.equal(only({ spanId: '8J+YgAECAwQ=' }).span?.spanId, 'f09f988001020304')
    assert.equal(only({ parentSpanId: SPAN_ID }).span?.parentSpanId, SPAN_ID)
  })

  test('that is missing, empty or all zeros is none', () => {
    for (const none of [undefined, null, '', '0'.repeat(32)]) assert.equal(traceIdOf(none), null)
  })

  test('that is anything else is a fault of that span alone', () => {
    const wrong = ['ab', TRACE_ID.slice(1), `${TRACE_ID}00`, 'g'.repeat(32), '?'.repeat(22), 7, {}]
    for (const traceId of wrong) {
      assert.equal(traceIdOf(traceId), 'its trace id is neither hex nor base64 of the right length')
    }
    const other = spanOf({ spanId: 'x', attributes: [] })
    const batch = decode(requestOf(spanOf({ spanId: 'x' }), other, spanOf({})))
    assert.deepEqual([...batch.faults.keys()], [0])
    assert.equal(readable(batch)[1]?.traceId, TRACE_ID)
  })
})

suite('a time in JSON', () => {
  test('is nanoseconds as text or as a number, to the ms even where a number has no room for it', () => {
    for (const start of [`${START_MS}000000`, START_MS * 1e6, `${START_MS}999999`]) {
      assert.equal(only({ startTimeUnixNano: start }).span?.startTimeMs, START_MS)
    }
    const times = {
      startTimeUnixNano: '1767323045678000001',
      endTimeUnixNano: '1767323045678000999',
    }
    assert.equal(only(times).span?.durationMs, 0.000998)
    assert.equal(only({ startTimeUnixNano: undefined }).span?.startTimeMs, 0)
  })

  test('that is none is a fault of that span', () => {
    for (const wrong of ['', 'now', '-1', -1, 1.5, '1e18', {}, '99999999999999999999', 1e300]) {
      const { fault } = only({ endTimeUnixNano: wrong })
      assert.equal(fault, 'its times are no nanoseconds since 1970', JSON.stringify(wrong))
    }
  })
})

suite('a value in JSON', () => {
  test('is read whichever way its sender writes numbers', () => {
    assert.equal(valueOf({ intValue: '1200' }), 1200)
    assert.equal(valueOf({ intValue: 1200 }), 1200)
    assert.equal(valueOf({ intValue: '-9223372036854775808' }), -(2n ** 63n))
    assert.equal(valueOf({ intValue: '9007199254740993' }), 2n ** 53n + 1n)
    assert.equal(valueOf({ doubleValue: 12.5 }), 12.5)
    assert.equal(valueOf({ doubleValue: '12.5' }), 12.5)
    assert.ok(Number.isNaN(valueOf({ doubleValue: 'NaN' })))
    assert.equal(valueOf({ doubleValue: '-Infinity' }), -Infinity)
    assert.equal(valueOf({ boolValue: true }), true)
    assert.equal(valueOf({ stringValue: '' }), '')
  })

  test('of the wrong kind is kept as wrong, never as none', () => {
    const wrong = [{ intValue: 'x' }, { intValue: {} }, { doubleValue: '' }, { doubleValue: 'x' }]
    for (const value of [...wrong, { boolValue: 'yes' }, { stringValue: 7 }, 'bare', 7, []]) {
      assert.deepEqual(valueOf(value), { other: 'text' }, JSON.stringify(value))
    }
    assert.deepEqual(valueOf({ kvlistValue: { values: [] } }), { other: 'kvlist' })
    assert.deepEqual(valueOf({ bytesValue: '' }), { other: 'bytes' })
    for (const none of [{}, null, undefined, { stringValue: null }])
      assert.equal(valueOf(none), null)
  })

  test('of a list has its texts', () => {
    const values = [{ stringValue: 'a' }, { intValue: '1' }, null, { stringValue: 'b' }]
    assert.deepEqual(valueOf({ arrayValue: { values } }), ['a', 'b'])
    assert.deepEqual(valueOf({ arrayValue: {} }), [])
  })

  test('with half a surrogate pair can be written as UTF-8 again', () => {
    assert.equal(valueOf({ stringValue: 'a\ud800' }), 'a\uFFFD')
  })
})

suite('a JSON payload', () => {
  const assertMalformed = (body: string, message: RegExp) =>
    assert.throws(
      () => decodeJson(Buffer.from(body)),
      (error) => {
        assert.ok(TokenfuseError.isInstance(error))
        assert.equal(error.code, 'otlp_malformed')
        assert.match(error.message, message)
        return true
      },
    )

  test('that is no JSON is refused, with the place and without a word of its content', () => {
    assertMalformed('{"resourceSpans":[{"a":"secret" "b"}]}', /^no JSON at character 32 of an OTLP/)
    assertMalformed('', /^no JSON within its 0 characters/)
    for (const body of ['{"secret', '{"a":"secret"} x', '{"secret"}', 'secret', '{"a":secret}']) {
      assertMalformed(body, /^no JSON (?!.*secret)/)
    }
  })

  test('of another shape is refused with the path to where it differs', () => {
    const rows: [unknown, RegExp][] = [
      [[], /^no object at its root/],
      [7, /^no object at its root/],
      [{ resourceSpans: {} }, /^no array at resourceSpans of/],
      [{ resourceSpans: [7] }, /^no object at resourceSpans\[0\]/],
      [{ resourceSpans: [{ resource: [] }] }, /^no object at resourceSpans\[0\]\.resource/],
      [{ resourceSpans: [{ scopeSpans: 'x' }] }, /^no array at resourceSpans\[0\]\.scopeSpans/],
      [requestOf(spanOf({}), 7), /^no object at resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[1\]/],
      [requestOf(spanOf({ attributes: 7 })), /^no array at .*spans\[0\]\.attributes/],
      [requestOf(spanOf({ attributes: [MODEL, 7] })), /^no object at .*\.attributes\[1\]/],
    ]
    for (const [value, message] of rows) assertMalformed(JSON.stringify(value), message)
  })

  test('may leave out whatever is empty, and hold whatever nobody knows', () => {
    for (const empty of [{}, { resourceSpans: null }, { resourceSpans: [] }, { other: 1 }]) {
      assert.equal(decode(empty).count, 0)
    }
    const bare = { resourceSpans: [{ resource: null, scopeSpans: [{}, { spans: null }] }] }
    assert.equal(decode(bare).count, 0)
    const named = [MODEL, { key: 7 }, {}, { key: 'x', value: { deep: { deeper: [] } } }]
    const { span } = only({ attributes: named, events: 'anything', status: 'OK' })
    assert.deepEqual(span?.attributes, [['gen_ai.request.model', 'gpt-4o']])
  })

  test('tells an error status by number or by name', () => {
    assert.equal(only({ status: { code: 2 } }).span?.failed, true)
    assert.equal(only({ status: { code: 'STATUS_CODE_ERROR' } }).span?.failed, true)
    assert.equal(only({ status: { code: 1 } }).span?.failed, false)
    assert.equal(only({}).span?.failed, false)
  })

  test('may begin with a byte order mark', () => {
    const text = `\uFEFF${JSON.stringify(requestOf(spanOf({})))}`
    assert.equal(decodeJson(Buffer.from(text)).count, 1)
  })
})
