import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CHARGE_KINDS,
  CRITICALITIES,
  PRICED,
  TokenfuseError,
  USAGE_PART_KINDS,
  USAGE_SOURCES,
  type UsageEvent,
  usageEventSchema,
} from '@tokenfuse/protocol'
import fc from 'fast-check'
import { Governor } from '../../../../processor/src/governor/governor.ts'
import { encodeEvent } from '../../../../processor/src/log/codec.ts'
import { CompactCodec } from '../../../../processor/src/log/compact/codec.ts'
import { FUZZ_MS } from '../../../support/fuzz.ts'
import { tickEvent } from '../../../support/tick.ts'
import { usageEvent } from '../../../support/usage-event.ts'

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })
const orNull = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: null })
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const money = fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }).map(String)
const hex = (length: number) =>
  fc
    .array(fc.nat({ max: 15 }), { minLength: length, maxLength: length })
    .map((digits) => digits.map((digit) => digit.toString(16)).join(''))

const charge = fc.record({
  kind: fc.constantFrom(...CHARGE_KINDS),
  part: fc.constantFrom(...USAGE_PART_KINDS),
  model: text,
  quantity: count,
  unit: fc.constantFrom('token' as const, 'request' as const),
  picoUsd: money,
})
const refusal = fc.record({
  reason: fc.string(),
  budget: orNull(text),
  scope: orNull(text),
  unit: orNull(fc.constantFrom('tokens' as const, 'picoUsd' as const)),
  limit: orNull(money),
  spent: orNull(money),
  needed: orNull(money),
})
const verdict = fc.record(
  {
    action: text,
    reserve: orNull(count),
    cap: orNull(count),
    decision: orNull(text),
    basis: fc.constantFrom('last_known' as const, 'nothing' as const),
    refusal,
  },
  { requiredKeys: ['action', 'reserve', 'cap', 'decision'] },
)
const saving = fc.record({
  strategy: text,
  inputTokens: orNull(count),
  outputTokens: orNull(count),
})

/** Any call that the contract allows. */
const anyEvent: fc.Arbitrary<UsageEvent> = fc.record(
  {
    type: fc.constant('usage' as const),
    v: fc.constant(1 as const),
    tenant: text,
    time: fc
      .date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true })
      .map((date) => date.toISOString()),
    durationMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
    traceId: hex(32),
    spanId: hex(16),
    parentSpanId: orNull(hex(16)),
    guard: orNull(text),
    responseId: orNull(text),
    agent: text,
    task: text,
    taskType: orNull(text),
    difficulty: orNull(text),
    step: orNull(fc.integer()),
    stepName: orNull(text),
    user: text,
    session: text,
    service: text,
    tags: fc.dictionary(text, fc.string({ unit: 'binary' }), { maxKeys: 3 }),
    criticality: fc.constantFrom(...CRITICALITIES),
    callers: fc.array(fc.record({ agent: text, task: text }), { maxLength: 3 }),
    provider: text,
    operation: text,
    requestModel: text,
    originalModel: orNull(text),
    responseModel: orNull(text),
    serviceTier: orNull(text),
    tokens: fc.record({
      input: orNull(count),
      cacheRead: orNull(count),
      cacheWrite: orNull(count),
      cacheWrite1h: orNull(count),
      output: orNull(count),
      reasoning: orNull(count),
    }),
    systemTokens: count,
    charges: fc.array(charge, { maxLength: 4 }),
    costPicoUsd: money,
    priceVersion: text,
    priced: fc.constantFrom(...PRICED),
    source: fc.constantFrom(...USAGE_SOURCES),
    error: orNull(fc.string()),
    toolCallKeys: fc.array(text, { maxLength: 2 }),
    toolResultKeys: fc.array(text, { maxLength: 2 }),
    verdict: orNull(verdict),
    savings: fc.array(saving, { maxLength: 2 }),
  },
  { noNullPrototype: true, requiredKeys: requiredKeys() },
)

function requiredKeys() {
  const { callers: _, systemTokens: _tokens, ...required } = usageEventSchema.shape
  return Object.keys(required) as Exclude<keyof UsageEvent, 'callers' | 'systemTokens'>[]
}

/** What JSON makes of it, which is what the log promises: `-0` is 0 there. */
const asJson = (event: UsageEvent): unknown => JSON.parse(encodeEvent(event))

/** A kind is kept when it comes again. */
function learn(codec: CompactCodec, written: string): void {
  for (let times = 0; times < 2; times++) codec.decode(written, 1)
}

test('every call that the contract allows is read as it was written, by whoever knows its kind and by whoever does not', () => {
  const codec = new CompactCodec()
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 4 }), (events) => {
      // A kind is kept when it comes again, and found the third time.
      for (const event of [...events, ...events, ...events]) {
        assert.ok(usageEventSchema.safeParse(event).success)
        const written = codec.encode(event)
        assert.deepEqual(codec.decode(written, 1), asJson(event))
        assert.deepEqual(new CompactCodec().decode(written, 1), asJson(event))
      }
    }),
    { numRuns: 80 },
  )
})

test('calls of one kind differ in whatever they have for themselves', () => {
  const codec = new CompactCodec()
  const { charges } = usageEvent()
  const events = [usageEvent(), usageEvent({ task: 't-2', step: 7 }), usageEvent({ error: 'x' })]
  events.push(usageEvent({ charges: charges.map((each) => ({ ...each, quantity: 5 })) }))
  const kindOf = (written: string) => /^\[2,\d+,\[.*?\]\]\],/.exec(written)?.[0]
  const written = events.map((event) => codec.encode(event))
  assert.equal(new Set(written.map(kindOf)).size, 1)
  assert.deepEqual(
    written.map((each) => codec.decode(each, 1)),
    events,
  )
})

test('a tag is never taken for a charge, nor a caller for a tag', () => {
  const codec = new CompactCodec()
  const [charge] = usageEvent().charges
  assert.ok(charge)
  const { kind, part, model, unit } = charge
  const twins = [
    usageEvent({ charges: [], tags: { [kind]: part, [model]: unit } }),
    usageEvent({ charges: [charge], tags: {} }),
    usageEvent({ charges: [], callers: [{ agent: 'a', task: 'b' }] }),
    usageEvent({ charges: [], tags: { a: 'b' } }),
    usageEvent({ charges: [], callers: [] }),
    usageEvent({ charges: [] }),
  ]
  for (const event of [...twins, ...twins, ...twins]) {
    assert.deepEqual(codec.decode(codec.encode(event), 1), event)
  }
})

test('more kinds than are remembered are read all the same', () => {
  const codec = new CompactCodec()
  const reader = new CompactCodec()
  for (let index = 0; index < 6600; index++) {
    const event = usageEvent({ tags: { request: `r-${Math.floor(index / 3)}` } })
    assert.deepEqual(reader.decode(codec.encode(event), 1), event)
  }
})

test('two kinds that have the same number are told apart', () => {
  const codec = new CompactCodec()
  const [a, b] = [usageEvent({ agent: 'a' }), usageEvent({ agent: 'b' })]
  const sameNumber = (event: UsageEvent) => codec.encode(event).replace(/^\[2,\d+/, '[2,7')
  for (const event of [a, b, a, a, b, b, b, a]) {
    assert.deepEqual(codec.decode(sameNumber(event), 1), event)
  }
})

test('what events of one kind share cannot be changed by who has one of them', () => {
  const codec = new CompactCodec()
  const written = codec.encode(usageEvent({ tags: { team: 'a' } }))
  learn(codec, written)
  const event = codec.decode(written, 1) as UsageEvent
  assert.throws(() => {
    event.tags['team'] = 'b'
  }, TypeError)
  for (const charge of event.charges) charge.quantity = 0
  event.tokens.input = 0
  assert.deepEqual(
    (codec.decode(written, 1) as UsageEvent).charges.map(({ quantity }) => quantity),
    [100, 10],
  )
})

test('entries of before, and of other types, are objects and read as such', () => {
  const codec = new CompactCodec()
  const event = usageEvent()
  assert.deepEqual(codec.decode(encodeEvent(event), 1), event)
  const tick = tickEvent()
  assert.equal(codec.encode(tick), JSON.stringify(tick))
  assert.deepEqual(codec.decode(codec.encode(tick), 1), tick)
})

test('what a newer version wrote, and what is no entry, is refused with its place', () => {
  const codec = new CompactCodec()
  const written = codec.encode(usageEvent({ tags: { a: 'b' } }))
  learn(codec, written)
  const refused = (entry: string, code: string) => {
    const message = /^entry 7 of the event log /
    assert.throws(() => codec.decode(entry, 7), { code, message }, entry)
    assert.throws(() => new CompactCodec().decode(entry, 7), { code, message }, entry)
  }
  refused(written.replace(/^\[2/, '[3'), 'state_version')
  refused('[2]', 'log_corrupt')
  refused('[]', 'log_corrupt')
  refused('["usage"]', 'log_corrupt')
  refused('', 'log_corrupt')
  refused('[2,1,[],[]]', 'log_corrupt')
  refused(written.replace('"b"', '1'), 'log_corrupt')
  refused(written.replace('"normal"', '"urgent"'), 'log_corrupt')
  refused(written.replace('"15000000"', '"-1.5"'), 'log_corrupt')
  refused(written.replace('"t-1"', 'null'), 'log_corrupt')
  refused(written.replace(/\]$/, ',[]]'), 'log_corrupt')
  for (const length of [1, 3, 20, written.length / 2, written.length - 1]) {
    refused(written.slice(0, length), 'log_corrupt')
  }
})

test('whatever the bytes are, they are refused as such or are an event that can be counted', () => {
  const codec = new CompactCodec()
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom('null', '[]', '{}', '"', ',', ']', '1e999', '-1', '"x"', 'true', '[2,'),
    fc.json({ maxDepth: 2 }),
  )
  const place = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(anyEvent, place, fc.nat({ max: 8 }), piece, (event, share, removed, inserted) => {
      const written = codec.encode(event)
      learn(codec, written)
      const at = Math.floor(share * written.length)
      const bad = written.slice(0, at) + inserted + written.slice(at + removed)
      try {
        const found = codec.decode(bad, 1)
        new Governor().apply({ offset: 1, logTimeMs: 1, event: found })
      } catch (error) {
        assert.ok(TokenfuseError.isInstance(error), `${bad}: ${String(error)}`)
        assert.ok(error.code === 'log_corrupt' || error.code === 'state_version')
      }
    }),
    { interruptAfterTimeLimit: FUZZ_MS, numRuns: 20_000 },
  )
})
