import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Governor } from '../../../processor/src/governor/governor.ts'
import { RollingSpend, rollingPlan } from '../../../processor/src/governor/rolling-spend.ts'
import { usageEvent } from '../../support/usage-event.ts'
import { applyChanges, decided, Governing, HOUR_MS, iso, NOON_MS } from './governing.ts'

const MINUTE_MS = 60_000
/** A window of an hour leaves in buckets of a minute. */
const POLICY = {
  budgets: [{ id: 'b', per: ['agent'], window: 'rolling 60m', limit: { tokens: 1000 } }],
} as never

function calling(governing: Governing, tokens: number, timeMs = governing.nowMs, agent = 'a') {
  const charge = { kind: 'output', part: 'message', model: 'm', unit: 'token' } as const
  const charges = [{ ...charge, quantity: tokens, picoUsd: '0' }]
  return governing.apply(usageEvent({ agent, time: iso(timeMs), durationMs: 0, charges }))
}

/** Lets time pass as the processor does: a tick whenever one is due, at most one a second. */
function pass(governing: Governing, untilMs: number) {
  const effects = []
  for (;;) {
    const due = governing.governor.tickDueMs()
    if (due === null || due > untilMs) break
    governing.nowMs = Math.max(governing.nowMs, due)
    effects.push(...governing.tick())
  }
  governing.nowMs = untilMs
  return effects
}

test('what was spent leaves no earlier than the window says and at most a sixtieth of it later', () => {
  const governing = new Governing()
  governing.setPolicy(POLICY)
  calling(governing, 300)
  pass(governing, NOON_MS + 30 * MINUTE_MS)
  calling(governing, 400)
  pass(governing, NOON_MS + 60 * MINUTE_MS)
  assert.deepEqual(governing.spent('b'), { 'agent=a': '700' })
  pass(governing, NOON_MS + 61 * MINUTE_MS)
  assert.deepEqual(governing.spent('b'), { 'agent=a': '400' })
  pass(governing, NOON_MS + 90 * MINUTE_MS)
  assert.deepEqual(governing.spent('b'), { 'agent=a': '400' })
  pass(governing, NOON_MS + 91 * MINUTE_MS)
  assert.deepEqual(governing.spent('b'), {}, 'nothing is kept of a scope without spend')
})

test('a block ends by itself as soon as enough has left', () => {
  const governing = new Governing()
  governing.setPolicy(POLICY)
  calling(governing, 500)
  pass(governing, NOON_MS + 20 * MINUTE_MS)
  assert.deepEqual(decided(calling(governing, 500)), ['block b agent=a'])
  assert.deepEqual(governing.governor.decisions()[0]?.until, null)
  assert.deepEqual(decided(pass(governing, NOON_MS + 62 * MINUTE_MS)), ['allow b agent=a'])
  assert.deepEqual(decided(calling(governing, 400)), ['warn b agent=a'])
})

test('a call that comes late counts for what is left of its hour, one older than the window not at all', () => {
  const governing = new Governing()
  governing.setPolicy(POLICY)
  pass(governing, NOON_MS + 2 * HOUR_MS)
  calling(governing, 100, NOON_MS + HOUR_MS + 10 * MINUTE_MS)
  calling(governing, 7, NOON_MS + 30 * MINUTE_MS)
  assert.deepEqual(governing.spent('b'), { 'agent=a': '100' })
  pass(governing, NOON_MS + 2 * HOUR_MS + 11 * MINUTE_MS)
  assert.deepEqual(governing.spent('b'), {})
  assert.equal(governing.governor.total().totalTokens, 107)
})

const calls = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 40 * MINUTE_MS }),
    ageMs: fc.constantFrom(0, 0, MINUTE_MS, 50 * MINUTE_MS, 90 * MINUTE_MS),
    tokens: fc.integer({ min: 0, max: 900 }),
    agent: fc.constantFrom('a', 'b'),
    restart: fc.boolean(),
  }),
  { maxLength: 25 },
)

test('at every moment as much is counted as the calls of the last hour, and at most those of the minute before', () => {
  fc.assert(
    fc.property(calls, (made) => {
      const governing = new Governing()
      governing.setPolicy(POLICY)
      const stored = new Map<string, string>()
      const told: { timeMs: number; tokens: number; agent: string }[] = []
      for (const { afterMs, ageMs, tokens, agent, restart } of made) {
        pass(governing, governing.nowMs + afterMs)
        const timeMs = governing.nowMs - ageMs
        calling(governing, tokens, timeMs, agent)
        told.push({ timeMs, tokens, agent })
        if (restart) {
          governing.governor = Governor.restore(applyChanges(stored, governing.governor))
        }
        for (const name of ['a', 'b']) {
          const sumFrom = (fromMs: number) =>
            told
              .filter((call) => call.agent === name && call.timeMs > fromMs)
              .reduce((sum, call) => sum + call.tokens, 0)
          const counted = Number(governing.spent('b')[`agent=${name}`] ?? 0)
          assert.ok(counted >= sumFrom(governing.nowMs - HOUR_MS), `${counted} of agent ${name}`)
          assert.ok(counted <= sumFrom(governing.nowMs - HOUR_MS - MINUTE_MS - 1))
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('without room for more buckets spend is put together and leaves later, none is lost', () => {
  const spend = new RollingSpend({ nextOrder: () => 0, maxRows: 10 })
  const plan = rollingPlan(HOUR_MS)
  for (let minute = 0; minute < 40; minute++) {
    spend.add('b', 'agent=a', plan, NOON_MS + minute * MINUTE_MS, 1)
  }
  assert.equal(spend.merged, 30)
  const before = spend.takeLeaving(NOON_MS + HOUR_MS + 9 * MINUTE_MS, 1000)
  assert.equal(before.length, 9)
  const after = spend.takeLeaving(NOON_MS + 2 * HOUR_MS, 1000)
  assert.deepEqual(
    after.map(({ amount }) => amount),
    [31],
  )
})
