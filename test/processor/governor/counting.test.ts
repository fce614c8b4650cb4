import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogEvent, UsageEvent } from '@tokenfuse/protocol'
import fc from 'fast-check'
import { usageEvent } from '../../support/usage-event.ts'
import { DAY_MS, Governing, HOUR_MS, iso, NOON_MS } from './governing.ts'

const BUDGETS = [
  { id: 'all', window: 'month', limit: { usd: '0.001' } },
  { id: 'agent', per: ['agent'], window: 'day', limit: { tokens: 4000 } },
  { id: 'task', per: ['agent', 'task'], window: 'lifetime', limit: { outputTokens: 900 } },
  { id: 'hour', window: 'hour', limit: { inputTokens: 2000 }, mode: 'soft' },
] as never

const MINUTE_MS = 60_000

/** Calls of the hour before noon, of a few agents and tasks; each has a span of its own. */
const calls = fc
  .array(
    fc.record({
      agent: fc.constantFrom('a', 'b'),
      task: fc.constantFrom('1', '2', '3'),
      ageMs: fc.integer({ min: 0, max: 59 * MINUTE_MS }),
      quantity: fc.integer({ min: 0, max: 500 }),
      kind: fc.constantFrom('input', 'output'),
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((made) => made.map(toUsage))

type Made = {
  agent: string
  task: string
  ageMs: number
  quantity: number
  kind: 'input' | 'output'
}

function toUsage({ agent, task, ageMs, quantity, kind }: Made, index: number): UsageEvent {
  const hex = (index + 1).toString(16)
  return usageEvent({
    agent,
    task,
    time: iso(NOON_MS - MINUTE_MS - ageMs),
    durationMs: 1000,
    traceId: hex.padStart(32, 'a'),
    spanId: hex.padStart(16, '0'),
    responseId: `r-${index}`,
    charges: [
      { kind, part: 'message', model: 'm', quantity, unit: 'token', picoUsd: `${quantity}000000` },
    ],
    costPicoUsd: `${quantity}000000`,
  })
}

function governingCalls(events: readonly LogEvent[], stepMs = 0): Governing {
  const governing = new Governing()
  governing.setPolicy({ budgets: BUDGETS })
  for (const event of events) {
    governing.nowMs += stepMs
    governing.apply(event)
  }
  return governing
}

/** What was counted, and which action is in force where; not when and by which event. */
function counted({ governor }: Governing) {
  const decisions = governor.decisions().map(({ budget, scope, action }) => [budget, scope, action])
  const counters = governor
    .budgets()
    .map(({ budget, scope, windowFrom, spent }) => [budget, scope, windowFrom, spent])
  const usage = governor.usage({ by: ['agent', 'task'], scope: '*', period: 'all', top: 100 })
  const rows = usage?.rows.map(({ values, ...sums }) => [values, sums])
  const sorted = (values: unknown[] = []) => values.map((each) => JSON.stringify(each)).sort()
  return { decisions: sorted(decisions), counters: sorted(counters), rows: sorted(rows) }
}

const runs = { numRuns: 60 }

test('within a window the order in which calls arrive changes nothing that is counted or in force', () => {
  const shuffled = calls.chain((events) =>
    fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })),
  )
  fc.assert(
    fc.property(shuffled, ([events, others]) => {
      assert.deepEqual(counted(governingCalls(others)), counted(governingCalls(events)))
    }),
    runs,
  )
})

test('whether calls arrive together or one by one over half an hour makes no difference', () => {
  fc.assert(
    fc.property(calls, (events) => {
      const spread = governingCalls(events, MINUTE_MS)
      assert.deepEqual(counted(spread), counted(governingCalls(events)))
    }),
    runs,
  )
})

test('what is delivered again, however often and whenever, changes nothing', () => {
  const again = calls.chain((events) =>
    fc.tuple(fc.constant(events), fc.array(fc.nat({ max: events.length - 1 }), { maxLength: 40 })),
  )
  fc.assert(
    fc.property(again, ([events, repeats]) => {
      const governing = governingCalls(events)
      const before = counted(governing)
      for (const index of repeats) {
        const effects = governing.apply(events[index] as UsageEvent)
        assert.deepEqual(
          effects.map(({ type }) => type),
          ['duplicate'],
        )
      }
      assert.deepEqual(counted(governing), before)
    }),
    runs,
  )
})

test('an entry of the log that is read again changes nothing', () => {
  const governing = governingCalls([toUsage(ONE, 0)])
  const { governor, log } = governing
  const before = governor.stateHash
  for (const entry of log) assert.deepEqual(governor.apply(entry), [])
  assert.equal(governor.stateHash, before)
})

const ONE: Made = { agent: 'a', task: '1', ageMs: 0, quantity: 10, kind: 'output' }

test('one answer that two instrumentations report, or a span around it that claims the same usage, counts once', () => {
  const first = { ...toUsage(ONE, 0), parentSpanId: 'b'.repeat(16) }
  const sameAnswer = { ...toUsage(ONE, 1), responseId: first.responseId }
  const parent = { ...toUsage(ONE, 2), traceId: first.traceId, spanId: 'b'.repeat(16) }
  const cached = { ...toUsage(ONE, 3), responseId: first.responseId, source: 'cache' as const }
  const governing = governingCalls([first, sameAnswer, parent])
  assert.equal(governing.governor.total().calls, 1)
  governing.apply(cached)
  assert.equal(governing.governor.total().calls, 2, 'a hit of a cache is a call of its own')
})

test('a call far ahead of the log counts at log time, one a little ahead at its own', () => {
  const governing = governingCalls([])
  const midnightMs = NOON_MS + DAY_MS / 2
  governing.nowMs = midnightMs - MINUTE_MS
  // Two minutes ahead: tomorrow. Six minutes ahead: a wrong clock, so now.
  governing.apply({ ...toUsage(ONE, 0), time: iso(midnightMs + MINUTE_MS) })
  governing.apply({ ...toUsage(ONE, 1), time: iso(midnightMs + 5 * MINUTE_MS) })
  governing.apply({ ...toUsage(ONE, 2), time: iso(midnightMs + 4000 * DAY_MS) })
  const onDay = (period: string) =>
    governing.governor.usage({ by: ['agent'], scope: '*', period, top: 1 })?.total.calls
  assert.deepEqual([onDay('2026-01-05'), onDay('2026-01-06')], [2, 1])
  // However far ahead, a repeat is known.
  const [effect] = governing.apply({
    ...toUsage(ONE, 2),
    time: iso(midnightMs + 4000 * DAY_MS),
  })
  assert.equal(effect?.type, 'duplicate')
})

test('a call older than the horizon is told as late and counted nowhere', () => {
  const governing = governingCalls([])
  const old = { ...toUsage(ONE, 0), time: iso(NOON_MS - DAY_MS - 2000), durationMs: 1000 }
  assert.deepEqual(
    governing.apply(old).map(({ type }) => type),
    ['late'],
  )
  const atHorizon = { ...toUsage(ONE, 1), time: iso(NOON_MS - DAY_MS), durationMs: 1000 }
  assert.equal(governing.apply(atHorizon)[0]?.type, 'counted')
  assert.equal(governing.governor.total().calls, 1)
})

test('a clock that jumps back leaves log time where it was, one that jumps ahead ends windows but loses nothing', () => {
  const governing = governingCalls([toUsage(ONE, 0)])
  governing.apply(toUsage(ONE, 1), NOON_MS - 6 * HOUR_MS)
  assert.equal(governing.governor.logTimeMs, NOON_MS)
  governing.tick(30 * DAY_MS)
  // Back at the right time: the log's clock never goes back, so what is of today is late, not lost.
  const [effect] = governing.apply(toUsage(ONE, 2), NOON_MS)
  assert.equal(effect?.type, 'late')
  assert.equal(governing.governor.total().calls, 2)
  assert.deepEqual(governing.spent('task'), { 'agent=a,task=1': '20' })
})

test('a time that is none is rejected with a code and counted nowhere', () => {
  const governing = governingCalls([])
  for (const time of ['', 'yesterday', '2026-01-05', '2026-01-05T12:00:00+01:00']) {
    const [effect] = governing.apply({ ...toUsage(ONE, 0), time })
    assert.equal(effect?.type === 'rejected' && effect.code, 'usage_invalid', time)
  }
  assert.equal(governing.governor.total().calls, 0)
})
