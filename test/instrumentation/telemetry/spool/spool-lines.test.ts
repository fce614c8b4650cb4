import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  parseSpoolLines,
  spoolLine,
} from '../../../../instrumentation/src/telemetry/spool/spool-lines.ts'
import { FUZZ_MS } from '../../../support/fuzz.ts'
import { aCall, aSpan, attribution } from '../support/call.ts'
import { encodeSpan } from '../../../../instrumentation/src/telemetry/otlp-json.ts'

/** Half surrogate pairs and control characters too. */
const anyCodeUnit = fc.nat(0xffff).map((unit) => String.fromCharCode(unit))

test('spans come back from the spool as they went in, whatever their names hold', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: anyCodeUnit, maxLength: 20 }), { maxLength: 8 }),
      (names) => {
        const spans = names.map((name, n) =>
          encodeSpan(
            aCall(n, { requestModel: name, attribution: { ...attribution, service: name } }),
          ),
        )
        const text = Buffer.from(spans.map(spoolLine).join('')).toString()
        const read = parseSpoolLines(text)
        assert.equal(read.damagedLines, 0)
        assert.deepEqual(
          read.spans.map(({ json, bytes }) => ({ json, bytes })),
          spans.map(({ json, bytes }) => ({ json, bytes })),
        )
      },
    ),
    { interruptAfterTimeLimit: FUZZ_MS / 4 },
  )
})

test('a file that was cut off anywhere gives every span before the cut, and is not damaged', () => {
  const spans = [1, 2, 3].map(aSpan)
  const text = spans.map(spoolLine).join('')
  const ends = spans.map(
    (_, n) =>
      spans
        .slice(0, n + 1)
        .map(spoolLine)
        .join('').length,
  )
  for (let cut = 0; cut <= text.length; cut++) {
    const read = parseSpoolLines(text.slice(0, cut))
    assert.equal(read.damagedLines, 0)
    assert.equal(read.spans.length, ends.filter((end) => end <= cut).length)
  }
})

test('lines that hold no span are counted and cost the others nothing', () => {
  const good = spoolLine(aSpan(1))
  const bad = [
    'x',
    '{}',
    'null',
    '[]',
    '{"service":"a"}',
    '{"service":1,"span":{}}',
    '{"service":"a","span":{"traceId":"zz","spanId":"0"}}',
    `{"service":"a","span":{"traceId":"${'a'.repeat(32)}","spanId":"${'G'.repeat(16)}"}}`,
    '',
  ]
  const read = parseSpoolLines(bad.map((line) => `${line}\n${good}`).join(''))
  assert.equal(read.damagedLines, bad.length)
  assert.equal(read.spans.length, bad.length)
})

test('no bytes make the reader of spool files throw', () => {
  const line = spoolLine(aSpan(1))
  const mutated = fc
    .array(fc.tuple(fc.nat(line.length * 3), fc.string({ unit: anyCodeUnit, maxLength: 3 })))
    .map((edits) =>
      edits.reduce(
        (text, [at, put]) => text.slice(0, at) + put + text.slice(at + 1),
        line.repeat(3),
      ),
    )
  fc.assert(
    fc.property(fc.oneof(mutated, fc.string({ unit: anyCodeUnit })), (text) => {
      const { spans, damagedLines } = parseSpoolLines(text)
      assert.equal(spans.length + damagedLines, text.split('\n').length - 1)
      for (const { json } of spans) JSON.parse(json)
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_MS / 4 },
  )
})
