import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { SseParser } from '../../../instrumentation/src/control/sse-parser.ts'
import type { SseEvent } from '../../../instrumentation/src/control/sse-parser.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'

function parse(chunks: readonly Uint8Array[], maxEventBytes = 1_000_000) {
  const events: SseEvent[] = []
  let oversize = 0
  const parser = new SseParser({
    maxEventBytes,
    onEvent: (event) => events.push(event),
    onOversize: () => oversize++,
  })
  for (const chunk of chunks) parser.push(chunk)
  return { events, oversize }
}

const parseText = (text: string) => parse([Buffer.from(text)]).events

/** The standard's algorithm, written down for a whole text at once. */
function reference(text: string): SseEvent[] {
  const events: SseEvent[] = []
  let [type, id] = ['', '']
  let data: string[] = []
  for (const line of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .slice(0, -1)) {
    if (line === '') {
      if (data.length > 0) events.push({ type: type || 'message', data: data.join('\n'), id })
      ;[type, data] = ['', []]
      continue
    }
    const [, name = '', value = ''] = /^([^:]*):? ?([^]*)$/.exec(line) ?? []
    if (name === 'event') type = value
    if (name === 'data') data.push(value)
    if (name === 'id' && !value.includes('\0')) id = value
  }
  return events
}

test('events are read by the rules of the standard', () => {
  for (const [text, events] of [
    ['data: a\n\n', [['message', 'a', '']]],
    ['data:a\ndata: b\ndata\n\n', [['message', 'a\nb\n', '']]],
    [
      'event: policy\nid: 7\ndata: {}\n\ndata: x\n\n',
      [
        ['policy', '{}', '7'],
        ['message', 'x', '7'],
      ],
    ],
    ['id: 7\n\nid\ndata:x\n\n', [['message', 'x', '']]],
    [': heartbeat\n\n:\n\ndata: a\n\n', [['message', 'a', '']]],
    ['event: alone\n\ndata: a\n\n', [['message', 'a', '']]],
    [
      'data: a\r\n\r\ndata: b\r\rdata: c\n\n',
      [
        ['message', 'a', ''],
        ['message', 'b', ''],
        ['message', 'c', ''],
      ],
    ],
    ['\uFEFFdata: a\n\n', [['message', 'a', '']]],
    ['data:  two\n\n', [['message', ' two', '']]],
    ['retry: 5\nfoo: bar\ndata: a:b\n\n', [['message', 'a:b', '']]],
    ['data: cut off', []],
    ['data: cut off\n', []],
  ] as const) {
    assert.deepEqual(
      parseText(text).map(({ type, data, id }) => [type, data, id]),
      events,
      JSON.stringify(text),
    )
    assert.deepEqual(parseText(text), reference(text), 'and so does the reference')
  }
})

/** Texts that are likely to mean something. */
const streams = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\n',
        '\r',
        '\r\n',
        '\n\n',
        'data:',
        'data: ',
        'id: ',
        'event:',
        ':',
        '\uFEFF',
      ),
      fc.string({ unit: 'grapheme', maxLength: 8 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join('').toWellFormed())

test('a stream reads the same however its bytes are cut, and as the standard has it', () => {
  fc.assert(
    fc.property(
      streams,
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }),
      (text, cuts) => {
        const bytes = Buffer.from(text)
        const chunks: Buffer[] = []
        for (let at = 0, n = 0; at < bytes.length; n++) {
          const size = cuts[n % cuts.length] ?? 1
          chunks.push(bytes.subarray(at, at + size))
          at += size
        }
        const { events } = parse(chunks)
        assert.deepEqual(events, parseText(text))
        assert.deepEqual(events, reference(text))
      },
    ),
    { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_MS / 4 },
  )
})

test('no bytes make it throw, and what it holds is bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
      const { events } = parse(chunks, 100)
      for (const { data } of events) assert.ok(Buffer.byteLength(data) <= 300)
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_MS / 4 },
  )
})

test('an event that is too long is left out alone and counted, in one line or in many', () => {
  const long = 'x'.repeat(150)
  const lines = 'data: 12345678\n'.repeat(20)
  const text = `data: before\n\ndata: ${long}\n\ndata: between\n\n${lines}\ndata: after\n\n`
  const { events, oversize } = parse(
    [...Buffer.from(text)].map((byte) => Uint8Array.of(byte)),
    100,
  )
  assert.deepEqual(
    events.map(({ data }) => data),
    ['before', 'between', 'after'],
  )
  assert.equal(oversize, 2)
})

test('an endless line costs no memory', () => {
  const chunk = new Uint8Array(1024 * 1024).fill(120)
  const parser = new SseParser({ maxEventBytes: 1_000_000, onEvent() {}, onOversize() {} })
  parser.push(Buffer.from('data: '))
  const before = process.memoryUsage().arrayBuffers
  for (let n = 0; n < 60; n++) parser.push(chunk)
  assert.ok(process.memoryUsage().arrayBuffers - before < 8_000_000)
})
