import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenProblems } from '@tokenfuse/protocol/names'
import fc from 'fast-check'
import {
  createResponseReader,
  type Dialect,
  type EndReason,
  type ResponseFacts,
} from '../../../instrumentation/src/providers/index.ts'
import { openAiChatRules } from '../../../instrumentation/src/providers/openai-chat.ts'
import { BodyReader } from '../../../instrumentation/src/providers/response-reader.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'
import { countsOf, readEvents } from './response-support.ts'

const DIALECTS: readonly Dialect[] = [
  'openai.chat',
  'openai.responses',
  'openai.completions',
  'openai.embeddings',
  'anthropic.messages',
]
/** Three properties share the time of one. */
const FUZZ = {
  numRuns: 1_000_000,
  interruptAfterTimeLimit: FUZZ_MS / 3,
  markInterruptAsFailure: false,
}

function readText(dialect: Dialect, contentType: string, ...pieces: string[]): ResponseFacts {
  return readBytes(
    dialect,
    contentType,
    pieces.map((piece) => Buffer.from(piece)),
  )
}

function readBytes(
  dialect: Dialect,
  contentType: string,
  pieces: readonly Uint8Array[],
  reason: EndReason = 'complete',
): ResponseFacts {
  const reader = createResponseReader({ dialect, provider: 'any' }, contentType)
  for (const piece of pieces) reader.push(piece)
  return reader.end(reason)
}

const JSON_ANSWER =
  '{"object":"chat.completion","model":"m","usage":{"prompt_tokens":3,"completion_tokens":4}}'
const SSE_ANSWER = `data: ${JSON_ANSWER.replace('chat.completion', 'chat.completion.chunk')}\n\n`

test('the content type decides how a response is read; where it says neither, the first byte does', () => {
  const known = [3, null, null, null, 4, null]
  const cases: [string, string, (number | null)[] | null][] = [
    ['application/json', JSON_ANSWER, known],
    ['Application/JSON; charset=utf-8', ` \n${JSON_ANSWER}`, known],
    ['application/problem+json', JSON_ANSWER, known],
    ['text/event-stream; charset=utf-8', SSE_ANSWER, known],
    ['', JSON_ANSWER, known],
    ['text/plain', `\r\n ${JSON_ANSWER}`, known],
    ['', SSE_ANSWER, known],
    ['application/octet-stream', `: hello\n\n${SSE_ANSWER}`, known],
    ['application/json', SSE_ANSWER, null],
    ['text/event-stream', JSON_ANSWER, null],
  ]
  for (const [contentType, text, expected] of cases) {
    assert.deepEqual(countsOf(readText('openai.chat', contentType, text)), expected, contentType)
    const pieces = Array.from(text)
    assert.deepEqual(countsOf(readText('openai.chat', contentType, ...pieces)), expected)
  }
})

test('JSON written with spaces and line breaks reads the same', () => {
  const text = [
    'data: { "model": "m", "choices": [ { "delta": { "content": "hi" } } ] }',
    '',
    'data: {',
    'data:   "model": "m", "choices": [ ],',
    'data:   "usage" : { "prompt_tokens": 3, "completion_tokens": 4 } }',
    '',
    'data: { "model": "m", "choices": [ { "finish_reason": "stop" } ] }\n\n',
  ].join('\n')
  const chat = readText('openai.chat', 'text/event-stream', text)
  assert.deepEqual(countsOf(chat), [3, null, null, null, 4, null])
  const claude = [
    'data: { "type": "message_start", "message": { "id": "i", "usage": { "input_tokens": 5 } } }',
    'data: { "type": "content_block_delta", "delta": { "text": "hi" } }',
  ]
  const started = readText('anthropic.messages', 'text/event-stream', claude.join('\n\n'))
  assert.deepEqual(countsOf(started), [5, null, null, null, null, null])
  assert.equal(started.outputText, 'hi')
  const last = '{ "type": "response.completed", "response": { "usage": { "input_tokens": 6 } } }'
  const responses = readText('openai.responses', 'text/event-stream', `data: ${last}\n\n`)
  assert.deepEqual(countsOf(responses), [6, null, null, null, null, null])
})

test('nothing that comes after [DONE] counts, and what came before is whole', () => {
  const running = (prompt: number) =>
    `data: {"model":"m","choices":[{"delta":{"content":"x"}}],"usage":{"prompt_tokens":${prompt},"completion_tokens":4}}\n\n`
  const read = (text: string) =>
    readBytes('openai.chat', 'text/event-stream', [Buffer.from(text)], 'aborted')
  assert.equal(read(running(3)).source, 'partial')
  const facts = read(`${running(3)}data: [DONE]\n\n${running(900)}`)
  assert.deepEqual(countsOf(facts), [3, null, null, null, 4, null])
  assert.equal(facts.source, 'provider')
})

test('an event that is no JSON is named and does not end the reading', () => {
  const text = `data: {"usage":{"broken"\n\n${SSE_ANSWER}`
  const facts = readText('openai.chat', 'text/event-stream', text)
  assert.deepEqual(countsOf(facts), [3, null, null, null, 4, null])
  assert.deepEqual(facts.problems, ['event_malformed'])
})

test('a body that is cut off or no object gives nothing but its text, and never throws', () => {
  const cut = '{"choices":[{"message":{"content":"so fa'
  const aborted = readBytes('openai.chat', 'application/json', [Buffer.from(cut)], 'aborted')
  assert.equal(aborted.source, null)
  assert.equal(aborted.outputText, 'so fa')
  assert.deepEqual(aborted.problems, [])
  for (const text of [cut, '[]', '"x"', 'null', '<html>']) {
    const facts = readText('openai.chat', 'application/json', text)
    assert.equal(facts.source, null)
    assert.deepEqual(facts.problems, ['usage_missing', 'body_malformed'])
  }
  assert.equal(readText('openai.chat', 'application/json', '').source, null)
})

test('a body beyond the bound is dropped and named', () => {
  const reader = new BodyReader(openAiChatRules('openai.chat', 'any'), 100)
  for (let piece = 0; piece < 20; piece += 1) reader.push(Buffer.from(JSON_ANSWER))
  const facts = reader.end('complete')
  assert.equal(facts.source, null)
  assert.deepEqual(facts.problems, ['usage_missing', 'body_too_large'])
})

test('text for an estimate is bounded, and is decoded whole however much of it there is', () => {
  const delta = (content: string) => ({ model: 'm', choices: [{ delta: { content } }] })
  const piece = '\u{1f600}"\n'.repeat(50)
  const some = readEvents(
    'openai.chat',
    Array.from({ length: 40 }, () => delta(piece)),
  )
  assert.equal(some.outputText, piece.repeat(40))
  const much = readEvents(
    'openai.chat',
    Array.from({ length: 4000 }, () => delta(piece)),
  )
  assert.ok(much.outputText.length > 50_000)
  assert.ok(Buffer.byteLength(much.outputText) <= 256 * 1024)
  const whole = piece.repeat(4000)
  assert.ok(whole.startsWith(much.outputText.slice(0, -2)))
  const atOnce = readEvents('openai.chat', [delta('z'.repeat(1_000_000))])
  assert.equal(atOnce.outputText, 'z'.repeat(256 * 1024))
})

test('the facts do not change after the end', () => {
  const reader = createResponseReader(
    { dialect: 'openai.chat', provider: 'any' },
    'application/json',
  )
  reader.push(Buffer.from(JSON_ANSWER))
  const facts = reader.end('complete')
  reader.push(Buffer.from(JSON_ANSWER))
  assert.equal(reader.end('aborted'), facts)
})

test('no bytes make a reader throw', () => {
  const contentTypes = ['application/json', 'text/event-stream', '']
  fc.assert(
    fc.property(
      fc.constantFrom(...DIALECTS),
      fc.constantFrom(...contentTypes),
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }),
      fc.constantFrom<EndReason>('complete', 'aborted', 'failed'),
      (dialect, contentType, pieces, reason) => {
        const facts = readBytes(dialect, contentType, pieces, reason)
        assert.ok(!facts.problems.includes('reader_failed'))
      },
    ),
    FUZZ,
  )
})

const countOrNothing = fc.option(fc.nat(1000), { nil: null })

test('for each count the last number wins, whatever the order and the gaps', () => {
  const lastOf = (counts: readonly (number | null)[]) =>
    counts.findLast((count) => count !== null) ?? null
  fc.assert(
    fc.property(
      fc.array(fc.tuple(countOrNothing, countOrNothing), { minLength: 1, maxLength: 6 }),
      (usages) => {
        const input = lastOf(usages.map(([count]) => count))
        const output = lastOf(usages.map(([, count]) => count))
        const expected = input === null && output === null ? null : [input, output]
        const chat = readEvents(
          'openai.chat',
          usages.map(([prompt_tokens, completion_tokens]) => ({
            model: 'm',
            choices: [],
            usage: { prompt_tokens, completion_tokens },
          })),
        )
        const start = { type: 'message_start', message: { id: 'i', model: 'm' } }
        const deltas = usages.map(([input_tokens, output_tokens]) => ({
          type: 'message_delta',
          delta: { stop_reason: 'end_turn' },
          usage: { input_tokens, output_tokens },
        }))
        for (const { parts } of [chat, readEvents('anthropic.messages', [start, ...deltas])]) {
          const counts = parts.map(({ tokens }) => [tokens.input, tokens.output])
          assert.deepEqual(counts, expected === null ? [] : [expected])
        }
      },
    ),
    { numRuns: 1000 },
  )
})

/** Values where the dialects expect numbers, names and objects, among them wrong ones. */
const leaf = fc.oneof(
  fc.nat(1000),
  fc.constantFrom(0, -1, 1.5, 1e300, null, '', '7', true, 'end_turn', 'fast', 'search'),
)
const names = [
  ...['type', 'object', 'id', 'model', 'usage', 'message', 'response', 'delta', 'error', 'choices'],
  ...['stop_reason', 'finish_reason', 'index', 'status', 'output', 'service_tier', 'iterations'],
  ...['input_tokens', 'output_tokens', 'prompt_tokens', 'completion_tokens', 'total_tokens'],
  ...['cached_tokens', 'reasoning_tokens', 'prompt_tokens_details', 'output_tokens_details'],
  ...['cache_read_input_tokens', 'cache_creation_input_tokens', 'cache_creation', 'tool_usage'],
  ...['ephemeral_1h_input_tokens', 'ephemeral_5m_input_tokens', 'thinking_tokens', 'x_groq'],
  ...['server_tool_use', 'web_search_requests', 'web_search', 'num_requests', 'content_block'],
]
const types = [
  ...['message_start', 'message_delta', 'message_stop', 'content_block_start', 'error', 'message'],
  ...['response.created', 'response.completed', 'response.incomplete', 'response.failed'],
  ...['compaction', 'advisor_message', 'fallback_message', 'web_search_call'],
]
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc
    .tuple(
      fc.constantFrom(...types, null),
      fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 8 }),
    )
    .map(([type, members]) => (type === null ? members : { type, ...members })),
}))

test('no JSON makes a reader throw, and what it reads always holds together', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...DIALECTS),
      fc.constantFrom('openai', 'x_ai'),
      fc.array(json, { maxLength: 6 }),
      fc.constantFrom<EndReason>('complete', 'aborted', 'failed'),
      (dialect, provider, events, reason) => {
        const facts = readEvents(dialect, events, { provider, reason })
        assert.ok(!facts.problems.includes('reader_failed'))
        assert.equal(facts.source === null, facts.parts.length === 0)
        for (const { tokens, webSearches } of facts.parts) {
          assert.deepEqual(tokenProblems(tokens), [], JSON.stringify({ tokens, events }))
          assert.ok(tokens.input !== null || tokens.output !== null)
          assert.ok(Number.isInteger(webSearches) && webSearches >= 0)
        }
        assert.equal(new Set(facts.problems).size, facts.problems.length)
      },
    ),
    FUZZ,
  )
})

test('every split of a stream of any JSON gives the same facts', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...DIALECTS),
      fc.array(json, { maxLength: 4 }),
      fc.array(fc.nat(2000), { maxLength: 6 }),
      (dialect, events, cuts) => {
        const all = Buffer.from(
          events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(''),
        )
        const at = [0, ...cuts.filter((cut) => cut < all.length).sort((a, b) => a - b), all.length]
        const pieces = at.slice(1).map((end, index) => all.subarray(at[index], end))
        assert.deepEqual(
          readBytes(dialect, 'text/event-stream', pieces),
          readBytes(dialect, 'text/event-stream', [all]),
        )
      },
    ),
    FUZZ,
  )
})
