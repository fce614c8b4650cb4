import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeByteString } from '../../../instrumentation/src/providers/byte-buffer.ts'
import { SseParser } from '../../../instrumentation/src/providers/sse-parser.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'

type Parsed = { readonly events: string[]; readonly dropped: number }

function parse(pieces: readonly Uint8Array[], maxEventBytes?: number): Parsed {
  const events: string[] = []
  let dropped = 0
  const parser = new SseParser(
    (data) => events.push(decodeByteString(data)),
    () => (dropped += 1),
    maxEventBytes,
  )
  for (const piece of pieces) parser.push(piece)
  parser.end()
  return { events, dropped }
}

function parseText(text: string, maxEventBytes?: number): Parsed {
  return parse([Buffer.from(text)], maxEventBytes)
}

test('an event is its data lines, joined; comments and other fields are skipped', () => {
  const stream = [
    ': keep-alive',
    'event: a',
    'id: 7',
    'data: one',
    '',
    'data:two',
    'data:  three',
    'data',
    'database: no',
    'data:',
    '',
    'event: without data',
    '',
    'data: four',
  ].join('\n')
  assert.deepEqual(parseText(stream).events, ['one', 'two\n three\n', 'four'])
})

test('lines end with LF or CRLF, and a byte order mark is no part of the first', () => {
  assert.deepEqual(parseText('\uFEFFdata: a\r\n\r\ndata: b\n\ndata: c\r\n\n').events, [
    'a',
    'b',
    'c',
  ])
})

test('an event beyond the bound is dropped and reported, and the next one is read', () => {
  const long = 'x'.repeat(50)
  const cases = [
    `data: ${long}\n\ndata: next\n\n`,
    `data: ${long.slice(0, 12)}\ndata: ${long.slice(0, 12)}\n\ndata: next\n\n`,
    `data: short\ndata: ${long}\ndata: short\n\ndata: next\n\n`,
  ]
  for (const stream of cases) {
    assert.deepEqual(parseText(stream, 20), { events: ['next'], dropped: 1 }, stream)
    const bytewise = Array.from(Buffer.from(stream), (byte) => Uint8Array.of(byte))
    assert.deepEqual(parse(bytewise, 20), { events: ['next'], dropped: 1 }, stream)
  }
  assert.deepEqual(parseText(`data: ${long}`, 20), { events: [], dropped: 1 })
})

test('every split of any bytes gives the same events', () => {
  const fragment = fc.constantFrom(
    ...[
      'data: ',
      'data',
      ':',
      '\n',
      '\n\n',
      '\r\n',
      '\r',
      ' ',
      'event: x',
      '{"a":"ü€😀"}',
      '\uFEFF',
      'long'.repeat(9),
    ],
  )
  const bytes = fc.oneof(
    fc.array(fragment, { maxLength: 40 }).map((parts) => Buffer.from(parts.join(''))),
    fc.uint8Array({ maxLength: 200 }),
  )
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(200)), (all, cuts) => {
      const at = [0, ...cuts.filter((cut) => cut <= all.length).sort((a, b) => a - b), all.length]
      const pieces = at.slice(1).map((end, index) => all.subarray(at[index], end))
      assert.deepEqual(parse(pieces, 30), parse([all], 30))
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_MS, markInterruptAsFailure: false },
  )
})

test('a chunk larger than the pieces it is searched in is read whole', () => {
  const data = 'y'.repeat(700_000)
  assert.deepEqual(parseText(`data: ${data}\n\ndata: z\n\n`).events, [data, 'z'])
})
