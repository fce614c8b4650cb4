import assert from 'node:assert/strict'
import test from 'node:test'
import { PriceCatalogue } from '@tokenfuse/protocol'
import type { TokenCounts, UsageEvent, UsagePart } from '@tokenfuse/protocol'
import fc from 'fast-check'
import type { CallRecord } from '../../../instrumentation/src/telemetry/index.ts'
import { encodeRequest, encodeSpan } from '../../../instrumentation/src/telemetry/otlp-json.ts'
import { decodeTraces, meterSpans } from '../../../processor/src/meter/index.ts'
import type { Metered } from '../../../processor/src/meter/index.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'
import { aCall, attribution } from './support/call.ts'

const options = {
  catalogue: new PriceCatalogue(),
  overridesVersion: null,
  defaultTenant: 'default',
  nowMs: 1_767_323_050_000,
  source: 'test',
}

/** The call as the processor understands it. */
function metered(call: CallRecord, droppedSpans = 0): Metered {
  const body = encodeRequest([encodeSpan(call)], 'guard-0001', droppedSpans)
  return meterSpans(decodeTraces(Buffer.from(body), 'json'), options)
}

function eventOf(call: CallRecord): UsageEvent {
  const { events, deadLetters } = metered(call)
  assert.deepEqual(
    deadLetters.map(({ message: reason }) => reason),
    [],
  )
  assert.equal(events.length, 1)
  const [event] = events
  assert.ok(event)
  return event
}

type Json = { readonly [name: string]: unknown }
const attributesOf = (call: CallRecord) => {
  const span = JSON.parse(encodeSpan(call).json) as { attributes: { key: string; value: Json }[] }
  return new Map(span.attributes.map(({ key, value }) => [key, value]))
}

const noTokens: TokenCounts = {
  input: null,
  cacheRead: null,
  cacheWrite: null,
  cacheWrite1h: null,
  output: null,
  reasoning: null,
}
const message = (tokens: Partial<TokenCounts>, rest: Partial<UsagePart> = {}): UsagePart => ({
  part: 'message',
  model: null,
  tokens: { ...noTokens, ...tokens },
  webSearches: 0,
  ...rest,
})

test('a call reaches the processor with every fact that was recorded', () => {
  const event = eventOf(
    aCall(1, {
      parentSpanId: 'b'.repeat(16),
      startTimeMs: 1_767_323_045_678.25,
      originalModel: 'gpt-4',
      serviceTier: 'flex',
      parts: [message({ input: 1200, cacheRead: 1024, output: 310, reasoning: 128 })],
      attribution: {
        ...attribution,
        stepName: 'outline',
        difficulty: 'hard',
        criticality: 'best_effort',
        tags: { team: 'blue' },
      },
      toolCallKeys: ['k1'],
      toolResultKeys: ['r1', 'r2'],
      verdict: { action: 'cap_output', reserve: 400, cap: 256, decision: 'd-1' },
      decision: { id: 'd-1', action: 'cap_output', reason: 'budget 90 % used', budget: 'daily' },
    }),
  )
  assert.equal(event.traceId, 'a'.repeat(32))
  assert.equal(event.spanId, '0000000000000001')
  assert.equal(event.parentSpanId, 'b'.repeat(16))
  assert.equal(event.guard, 'guard-0001')
  assert.equal(event.time, '2026-01-02T03:04:05.678Z')
  assert.equal(event.durationMs, 811.75) // 046.490 - 045.678 25
  assert.equal(event.originalModel, 'gpt-4')
  assert.equal(event.responseId, 'chatcmpl-1')
  assert.equal(event.serviceTier, 'flex')
  assert.equal(event.service, 'api')
  assert.equal(event.agent, 'writer')
  assert.equal(event.task, 't-17')
  assert.equal(event.taskType, 'draft')
  assert.equal(event.step, 3)
  assert.equal(event.stepName, 'outline')
  assert.equal(event.difficulty, 'hard')
  assert.equal(event.user, 'u-9')
  assert.equal(event.session, 's-4')
  assert.equal(event.criticality, 'best_effort')
  assert.deepEqual({ ...event.tags }, { team: 'blue' })
  assert.deepEqual(event.toolCallKeys, ['k1'])
  assert.deepEqual(event.toolResultKeys, ['r1', 'r2'])
  assert.deepEqual(event.verdict, { action: 'cap_output', reserve: 400, cap: 256, decision: 'd-1' })
  assert.deepEqual(event.tokens, {
    ...noTokens,
    input: 1200,
    cacheRead: 1024,
    output: 310,
    reasoning: 128,
  })
})

test('tokens of any response arrive as they were counted, in every part', () => {
  const count = fc.option(fc.integer({ min: 0, max: 100_000_000 }), { nil: null })
  const tokens = fc
    .record({
      uncached: count,
      read: count,
      write: count,
      write1h: count,
      text: count,
      think: count,
    })
    .map(({ uncached, read, write, write1h, text, think }) => ({
      input:
        uncached === null && read === null
          ? (write ?? 0) + (write1h ?? 0)
          : (uncached ?? 0) + (read ?? 0) + (write ?? 0) + (write1h ?? 0),
      cacheRead: read,
      cacheWrite: write1h === null ? write : (write ?? 0),
      cacheWrite1h: write1h,
      output: (text ?? 0) + (think ?? 0),
      reasoning: think,
    }))
  const part = fc.record({
    part: fc.constantFrom('message', 'compaction', 'advisor', 'attempt'),
    model: fc.option(fc.constantFrom('gpt-4o-mini', 'claude-opus-4-1'), { nil: null }),
    tokens,
    webSearches: fc.integer({ min: 0, max: 20 }),
  }) satisfies fc.Arbitrary<UsagePart>
  const add = (a: number | null, b: number | null) =>
    a === null && b === null ? null : (a ?? 0) + (b ?? 0)

  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
      const event = eventOf(aCall(1, { parts }))
      for (const name of ['input', 'cacheRead', 'cacheWrite', 'cacheWrite1h', 'output'] as const) {
        const sum = parts.reduce<number | null>((s, { tokens: t }) => add(s, t[name]), null)
        assert.equal(event.tokens[name], sum, name)
      }
      const searches = parts.reduce((sum, { webSearches }) => sum + webSearches, 0)
      const charged = event.charges.filter(({ kind }) => kind === 'web_search')
      assert.equal(
        charged.reduce((sum, { quantity }) => sum + quantity, 0),
        searches,
      )
    }),
    { interruptAfterTimeLimit: FUZZ_MS / 4 },
  )
})

test('what is unknown is left out: no count becomes 0 and no name the word unknown', () => {
  const unknown = { agent: 'unknown', task: 'unknown', user: 'unknown', session: 'unknown' }
  const attributes = attributesOf(
    aCall(1, {
      attribution: { ...attribution, ...unknown, taskType: null, stepIndex: null },
      responseModel: null,
      responseId: null,
      statusCode: null,
      finishReasons: [],
      parts: [message({ input: 7 })],
    }),
  )
  for (const name of [
    'gen_ai.agent.name',
    'tokenfuse.task.id',
    'user.id',
    'session.id',
    'tokenfuse.task.type',
    'tokenfuse.step.index',
    'gen_ai.response.model',
    'gen_ai.response.id',
    'gen_ai.response.finish_reasons',
    'http.response.status_code',
    'gen_ai.request.max_tokens',
    'gen_ai.usage.output_tokens',
    'gen_ai.usage.cache_read.input_tokens',
    'gen_ai.usage.cache_write.input_tokens',
    'gen_ai.usage.reasoning.output_tokens',
    'error.type',
    'tokenfuse.verdict',
    'tokenfuse.usage.parts',
  ]) {
    assert.equal(attributes.has(name), false, name)
  }
  assert.deepEqual(attributes.get('gen_ai.usage.input_tokens'), { intValue: '7' })
})

test('a span follows the GenAI conventions: name, kind, integers as integers, both cache writes as one', () => {
  const call = aCall(1, {
    provider: 'anthropic',
    requestModel: 'claude-sonnet-4-5',
    maxOutputTokens: 1024,
    stream: true,
    error: 'rate_limit_error',
    parts: [message({ input: 50, cacheWrite: 10, cacheWrite1h: 30, output: 5 })],
  })
  const span = JSON.parse(encodeSpan(call).json) as Json
  assert.equal(span['name'], 'chat claude-sonnet-4-5')
  assert.equal(span['kind'], 3)
  assert.equal(span['startTimeUnixNano'], '1767323045678000000')
  assert.deepEqual(span['status'], { code: 2 })
  const attributes = attributesOf(call)
  assert.deepEqual(attributes.get('gen_ai.operation.name'), { stringValue: 'chat' })
  assert.deepEqual(attributes.get('gen_ai.provider.name'), { stringValue: 'anthropic' })
  assert.deepEqual(attributes.get('gen_ai.request.max_tokens'), { intValue: '1024' })
  assert.deepEqual(attributes.get('gen_ai.request.stream'), { boolValue: true })
  assert.deepEqual(attributes.get('server.port'), { intValue: '443' })
  assert.deepEqual(attributes.get('error.type'), { stringValue: 'rate_limit_error' })
  assert.deepEqual(attributes.get('gen_ai.usage.cache_write.input_tokens'), { intValue: '40' })
  assert.deepEqual(attributes.get('tokenfuse.usage.cache_write_1h.input_tokens'), {
    intValue: '30',
  })
})

test('spans of several services go in one request, each under the name of its own', () => {
  const of = (n: number, service: string) =>
    encodeSpan(aCall(n, { attribution: { ...attribution, service } }))
  const body = encodeRequest([of(1, 'api'), of(2, 'batch'), of(3, 'api')], 'guard-0001', 0)
  const { events } = meterSpans(decodeTraces(Buffer.from(body), 'json'), options)
  const services = events.map(({ spanId, service }) => [Number(spanId), service])
  assert.deepEqual(
    services.toSorted(([a], [b]) => Number(a) - Number(b)),
    [
      [1, 'api'],
      [2, 'batch'],
      [3, 'api'],
    ],
  )
})

test('spans that were given up are told by the guard that gave them up', () => {
  assert.deepEqual([...metered(aCall(1), 12).droppedByAgents], [['guard-0001', 12]])
  assert.deepEqual([...metered(aCall(1), 0).droppedByAgents], [])
})

test('names from outside cannot break a span: cut where they are long, well-formed where they are not', () => {
  const call = aCall(1, {
    requestModel: `\ud800${'m'.repeat(5000)}`,
    responseId: 'x'.repeat(100_000),
    toolCallKeys: Array.from({ length: 5000 }, (_, n) => `key-${n}`),
    error: '',
  })
  const { json, bytes } = encodeSpan(call)
  assert.equal(bytes, Buffer.byteLength(json))
  assert.ok(bytes < 64 * 1024, `${bytes} bytes`)
  assert.equal(json.isWellFormed() && !/\\ud[89a-f]/i.test(json), true)
  const keys = attributesOf(call).get('tokenfuse.tool.call.keys') as {
    arrayValue: { values: { stringValue: string }[] }
  }
  assert.equal(keys.arrayValue.values.at(-1)?.stringValue, 'key-4999')
})
