import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  addTokens,
  CRITICALITIES,
  type TokenCounts,
  UNKNOWN_TOKENS,
  USAGE_PART_KINDS,
  type UsageEvent,
  usageEventSchema,
  type UsagePart,
} from '@tokenfuse/protocol'
import fc from 'fast-check'
import type { CallRecord } from '../../../instrumentation/src/telemetry/call-record.ts'
import { encodeRequest, encodeSpan } from '../../../instrumentation/src/telemetry/otlp-json.ts'
import { decodeTraces } from '../../../processor/src/meter/decode-traces.ts'
import { meterSpans } from '../../../processor/src/meter/meter-spans.ts'
import { catalogue } from './metered.ts'
import { START_MS } from './otlp.ts'

// The preload writes spans and the meter reads them; here both halves meet without anything between.

const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(...'123456789abcdef'.split('')), {
      minLength: digits,
      maxLength: digits,
    })
    .map((chars) => chars.join(''))
const nameArb = fc.oneof(
  fc.constant('unknown'),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .filter((text) => !/\p{Cc}/u.test(text)),
)
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const countArb = orNull(fc.nat(1_000_000))

const tokensArb: fc.Arbitrary<TokenCounts> = fc
  .tuple(countArb, countArb, countArb, countArb, countArb, countArb)
  .map(([uncached, cacheRead, cacheWrite, cacheWrite1h, output, reasoning]) => ({
    input:
      uncached === null
        ? null
        : uncached + (cacheRead ?? 0) + (cacheWrite ?? 0) + (cacheWrite1h ?? 0),
    cacheRead,
    // Both writes are one count on the wire, so a known hour's part makes the other known.
    cacheWrite: cacheWrite1h === null ? cacheWrite : (cacheWrite ?? 0),
    cacheWrite1h,
    output,
    reasoning: output === null || reasoning === null ? null : Math.min(output, reasoning),
  }))
const partArb: fc.Arbitrary<UsagePart> = fc.record({
  part: fc.constantFrom(...USAGE_PART_KINDS),
  model: orNull(fc.constant('priced-2')),
  tokens: tokensArb,
  webSearches: fc.nat(3),
})
const plainPartArb = tokensArb.map((tokens): UsagePart => ({
  part: 'message',
  model: null,
  tokens,
  webSearches: 0,
}))

const ATTRIBUTION_KEYS = [
  'agent',
  'task',
  'user',
  'session',
  'tenant',
  'service',
  'taskType',
  'stepIndex',
  'stepName',
  'difficulty',
  'criticality',
  'tags',
] as const

const callArb: fc.Arbitrary<CallRecord> = fc
  .record({
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: orNull(hex(16)),
    durationMs: fc.nat(1_000_000_000).map((microseconds) => microseconds / 1000),
    attribution: fc.record(
      {
        agent: nameArb,
        task: nameArb,
        user: nameArb,
        session: nameArb,
        tenant: nameArb,
        service: nameArb,
        taskType: orNull(nameArb),
        stepIndex: orNull(fc.nat(100)),
        stepName: orNull(nameArb),
        difficulty: orNull(nameArb),
        criticality: fc.constantFrom(...CRITICALITIES),
        tags: fc.dictionary(fc.constantFrom('team', 'größe', 'a.b'), nameArb, {
          noNullPrototype: true,
        }),
        callers: fc.array(fc.record({ agent: nameArb, task: nameArb }, { noNullPrototype: true }), {
          minLength: 1,
          maxLength: 8,
        }),
      },
      { requiredKeys: [...ATTRIBUTION_KEYS], noNullPrototype: true },
    ),
    provider: fc.constantFrom('openai', 'anthropic', 'azure.ai.openai', 'Our-Gateway'),
    operation: fc.constantFrom('chat', 'text_completion', 'embeddings'),
    requestModel: fc.constantFrom('priced-1', 'nobody-knows'),
    originalModel: orNull(nameArb),
    responseModel: orNull(fc.constant('priced-3')),
    responseId: orNull(nameArb),
    serviceTier: orNull(nameArb),
    stream: fc.boolean(),
    maxOutputTokens: orNull(fc.nat()),
    finishReasons: fc.array(nameArb, { maxLength: 2 }),
    parts: fc.oneof(fc.array(partArb, { maxLength: 3 }), fc.tuple(plainPartArb)),
    source: fc.constantFrom('provider', 'partial', 'estimate' as const),
    systemTokens: orNull(fc.nat(10_000)),
    problems: fc.array(nameArb, { maxLength: 2 }),
    error: orNull(nameArb),
    statusCode: orNull(fc.constantFrom(200, 500)),
    serverAddress: fc.constant('api.openai.com'),
    serverPort: fc.constant(443),
    toolCallKeys: fc.array(hex(16), { maxLength: 4 }),
    toolResultKeys: fc.array(hex(16), { maxLength: 4 }),
    verdict: orNull(
      fc
        .record({
          action: fc.constantFrom('allow', 'cap_output'),
          reserve: countArb,
          cap: countArb,
          decision: orNull(nameArb),
        })
        .map((verdict) => ({ ...verdict })),
    ),
    decision: fc.constant(null),
  })
  .map(({ durationMs, ...call }) => ({
    ...call,
    startTimeMs: START_MS,
    endTimeMs: START_MS + durationMs,
  }))

function metered(call: CallRecord): UsageEvent {
  const body = encodeRequest([encodeSpan(call)], 'guard-0001', 3)
  const { events, deadLetters, droppedByAgents } = meterSpans(
    decodeTraces(Buffer.from(body), 'json'),
    {
      catalogue,
      overridesVersion: null,
      defaultTenant: 'unknown',
      nowMs: START_MS,
      source: 'test',
    },
  )
  assert.deepEqual(
    deadLetters.map(({ message }) => message),
    [],
  )
  assert.deepEqual([...droppedByAgents], [['guard-0001', 3]])
  const [event, ...others] = events
  assert.ok(event)
  assert.deepEqual(others, [])
  return event
}

suite('a call that the preload tells of', () => {
  test('is metered as it was told: who, which model, how many tokens, how sure', () => {
    fc.assert(
      fc.property(callArb, (call) => {
        const event = metered(call)
        assert.deepEqual(usageEventSchema.parse(event), event)
        const { attribution, parts, startTimeMs, endTimeMs } = call
        const { stepIndex, ...names } = attribution
        const sum = parts.reduce((tokens, part) => addTokens(tokens, part.tokens), UNKNOWN_TOKENS)
        const known = Object.values(sum).some((count) => count !== null)
        const expected: Partial<UsageEvent> = {
          ...names,
          step: stepIndex,
          guard: 'guard-0001',
          traceId: call.traceId,
          spanId: call.spanId,
          parentSpanId: call.parentSpanId,
          time: new Date(startTimeMs).toISOString(),
          durationMs: Math.round((endTimeMs - startTimeMs) * 1000) / 1000,
          provider: call.provider,
          operation: call.operation,
          requestModel: call.requestModel,
          originalModel: call.originalModel,
          responseModel: call.responseModel,
          responseId: call.responseId,
          serviceTier: call.serviceTier,
          tokens: sum,
          source: known ? call.source : 'partial',
          error: call.error,
          toolCallKeys: [...call.toolCallKeys],
          toolResultKeys: [...call.toolResultKeys],
          verdict: call.verdict,
          systemTokens: call.systemTokens ?? undefined,
        }
        const told = Object.fromEntries(
          Object.keys(expected).map((field) => [field, event[field as keyof UsageEvent]]),
        )
        assert.deepEqual(told, expected)
      }),
      { numRuns: 500 },
    )
  })

  test('bills every token and search of every one of its parts', () => {
    fc.assert(
      fc.property(callArb, (call) => {
        const { charges } = metered(call)
        const billed = (unit: string) =>
          charges.reduce((sum, charge) => sum + (charge.unit === unit ? charge.quantity : 0), 0)
        const tokens = call.parts.reduce((sum, { tokens: part }) => {
          const cached = (part.cacheRead ?? 0) + (part.cacheWrite ?? 0) + (part.cacheWrite1h ?? 0)
          return sum + Math.max(part.input ?? 0, cached) + (part.output ?? 0)
        }, 0)
        assert.equal(billed('token'), tokens)
        assert.equal(
          billed('request'),
          call.parts.reduce((sum, { webSearches }) => sum + webSearches, 0),
        )
      }),
      { numRuns: 300 },
    )
  })
})
