import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { decodeTraces } from '../../../processor/src/meter/decode-traces.ts'
import { eventOf, metered, rejection } from './metered.ts'
import { otlpRequest, otlpSpan, readable, SPAN_ID, START_MS, TRACE_ID } from './otlp.ts'

const CHAT = { 'gen_ai.operation.name': 'chat', 'gen_ai.request.model': 'priced-1' }
const INPUT = 'gen_ai.usage.input_tokens'
const OUTPUT = 'gen_ai.usage.output_tokens'

suite('a claim that cannot be true makes its span a dead letter', () => {
  const part = (tokens: object, rest: object = {}) =>
    JSON.stringify([
      {
        part: 'message',
        model: null,
        webSearches: 0,
        tokens: {
          input: null,
          cacheRead: null,
          cacheWrite: null,
          cacheWrite1h: null,
          output: null,
          reasoning: null,
          ...tokens,
        },
        ...rest,
      },
    ])
  const parts = (text: unknown) => ({ 'tokenfuse.usage.parts': text })

  const rows: [values: object, message: RegExp][] = [
    [{ [INPUT]: -5 }, /gen_ai\.usage\.input_tokens is -5$/],
    [{ [OUTPUT]: 12.5 }, /output_tokens is 12\.5/],
    [{ [INPUT]: 10_000_000_001 }, /input_tokens is 10000000001/],
    [{ [INPUT]: 2n ** 63n - 1n }, /input_tokens is 9223372036854775807/],
    [{ [INPUT]: 'many' }, /input_tokens is "many"/],
    [{ [INPUT]: '' }, /input_tokens is ""/],
    [{ [INPUT]: '-1' }, /input_tokens is -1|input_tokens is "-1"/],
    [{ [INPUT]: true }, /input_tokens is true/],
    [{ [INPUT]: ['1'] }, /input_tokens is array/],
    [{ [INPUT]: { kvlistValue: { values: [] } } }, /input_tokens is kvlist/],
    [{ 'gen_ai.usage.prompt_tokens': -1 }, /input_tokens is -1/],
    [{ [INPUT]: 10, 'gen_ai.usage.cache_read.input_tokens': 11 }, /cache_exceeds_input/],
    [{ [INPUT]: 10, 'gen_ai.usage.cache_write.input_tokens': 11 }, /cache_exceeds_input/],
    [{ [OUTPUT]: 10, 'gen_ai.usage.reasoning.output_tokens': 11 }, /reasoning_exceeds_output/],
    [
      {
        'gen_ai.usage.cache_write.input_tokens': 5,
        'tokenfuse.usage.cache_write_1h.input_tokens': 6,
      },
      /token_count_negative/,
    ],
    [{ [INPUT]: 1, 'tokenfuse.usage.source': 'guess' }, /tokenfuse\.usage\.source is none of/],
    [parts('[]'), /holds no usage parts/],
    [parts('{'), /holds no usage parts/],
    [parts(7), /holds no usage parts/],
    [parts(part({ input: 1.5 })), /holds no usage parts/],
    [parts(part({}, { webSearches: -1 })), /holds no usage parts/],
    [parts(part({}, { part: 'other' })), /holds no usage parts/],
    [parts(`[${' '.repeat(70_000)}]`), /holds no usage parts/],
    [parts(part({ input: 1, cacheRead: 2 })), /parts\[0\]: cache_exceeds_input/],
    [{ ...parts(part({ input: 5 })), [INPUT]: 6 }, /sums up to 5 as input, not 6/],
    [{ ...parts(part({ input: 5 })), [OUTPUT]: 0 }, /sums up to null as output, not 0/],
    [
      {
        ...parts(part({ input: 9, cacheWrite: 4, cacheWrite1h: 5 })),
        'gen_ai.usage.cache_write.input_tokens': 4,
      },
      /sums up to 9 as cacheWrites, not 4/,
    ],
    [{ 'tokenfuse.savings.strategy': 's', 'tokenfuse.savings.input_tokens': -1 }, /savings.*is -1/],
  ]
  for (const [values, message] of rows) {
    test(String(message), () => assert.match(rejection(otlpSpan({ ...CHAT, ...values })), message))
  }

  test('no, wrong or half ids', () => {
    assert.match(rejection(otlpSpan(CHAT, { traceId: '' })), /span of no trace.*it has no trace id/)
    assert.match(rejection(otlpSpan(CHAT, { spanId: '0'.repeat(16) })), /it has no span id/)
    const { deadLetters } = metered(otlpRequest([otlpSpan(CHAT)]))
    assert.deepEqual(deadLetters, [])
  })

  test('times that are missing, run backwards or lie ahead', () => {
    const ms = (timeMs: number) => `${timeMs}000000`
    const at = (start: number, end: number) =>
      rejection(otlpSpan(CHAT, { startTimeUnixNano: ms(start), endTimeUnixNano: ms(end) }))
    const tomorrow = START_MS + 24 * 3_600_000 + 1001
    assert.match(at(0, START_MS), /it has no start time/)
    assert.match(at(START_MS, START_MS - 1), /it ends before it starts/)
    assert.match(at(START_MS, 0), /it ends before it starts/)
    assert.match(at(tomorrow, tomorrow), /more than 24 h ahead/)
    assert.match(at(START_MS, tomorrow), /more than 24 h ahead/)
  })

  test('counts as text or as whole doubles are no such claim', () => {
    const { tokens } = eventOf(otlpSpan({ ...CHAT, [INPUT]: '12', [OUTPUT]: { doubleValue: 3 } }))
    assert.deepEqual([tokens.input, tokens.output], [12, 3])
  })
})

suite('a dead letter', () => {
  const wrong = otlpSpan(
    {
      ...CHAT,
      [INPUT]: -5,
      'gen_ai.input.messages': 'a prompt',
      'gen_ai.agent.name': 'writer',
      'tokenfuse.tenant': 'acme',
      'tokenfuse.tool.call.keys': ['k'],
      'tokenfuse.tag.team': 'red',
      'tokenfuse.step.index': 2n ** 60n,
      'tokenfuse.usage.counted': false,
      'tokenfuse.savings.input_tokens': 0.5,
    },
    { parentSpanId: '00f067aa0ba902b7', status: { code: 2 } },
  )
  const request = otlpRequest([otlpSpan(CHAT), wrong, otlpSpan(CHAT)], { 'service.name': 'api' })
  const { events, deadLetters } = metered(request, { source: 'kafka:otlp_spans/3@1234' })
  const [letter] = deadLetters

  test('leaves the spans around it counted', () => {
    assert.equal(events.length, 2)
    assert.equal(deadLetters.length, 1)
  })

  test('says whose it is, where it came from and why', () => {
    assert.ok(letter)
    const { payload: _, ...rest } = letter
    assert.deepEqual(rest, {
      tenant: 'acme',
      source: 'kafka:otlp_spans/3@1234#1',
      code: 'usage_invalid',
      message: `span ${TRACE_ID}/${SPAN_ID}: gen_ai.usage.input_tokens is -5`,
      contentType: 'application/json',
    })
  })

  test('holds that one span as OTLP, to be metered again, without its content', () => {
    assert.ok(letter)
    assert.doesNotMatch(Buffer.from(letter.payload).toString(), /a prompt/)
    const [span, ...others] = readable(decodeTraces(letter.payload, 'json'))
    assert.deepEqual(others, [])
    const original = readable(decodeTraces(Buffer.from(JSON.stringify(request)), 'json'))[1]
    assert.deepEqual(span, original)
  })
})
