import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Simulation, START_MS } from './simulation.ts'

const HOUR_MS = 3_600_000
const LIMIT_TOKENS = 30_000
const SECOND_HOUR_MS = START_MS + HOUR_MS
/** The hour ends when about half of the calls were made. */
const BEFORE_END_MS = 1_500
const RUNS = 10
/** Many round trips, and far less than any heartbeat. */
const PROMPT_MS = 500

/** Guards that each use up an hour's budget, wait, are refused, and go on asking while the next hour begins. */
function crossing(seed: number): Simulation {
  return new Simulation({
    seed,
    startMs: START_MS + HOUR_MS - BEFORE_END_MS,
    clockErrorMs: 20,
    guards: 5,
    callersPerGuard: 4,
    callsPerCaller: 120,
    policy: {
      version: 1,
      budgets: [{ id: 'hourly', window: 'hour', limit: { tokens: LIMIT_TOKENS } }],
    },
    limitOnWire: (random) => (random() < 0.5 ? null : 1000),
    inputTokens: (random) => Math.ceil(100 + random() * 100),
    outputTokens: (random) => Math.ceil(50 + random() * 700),
  })
}

const hourOf = (ms: number) => Math.floor(ms / HOUR_MS) * HOUR_MS

/** What each hour was billed, by when its calls were admitted. */
function billedByHour({ admissions }: Simulation): Map<number, bigint> {
  const billed = new Map<number, bigint>()
  for (const { countsAtMs, tokens } of admissions) {
    const hour = hourOf(countsAtMs)
    billed.set(hour, (billed.get(hour) ?? 0n) + tokens)
  }
  return billed
}

/** What the governor has counted in each hour, those that are over included. */
function countedByHour({ governor }: Simulation): Map<number, bigint> {
  const counted = new Map<number, bigint>()
  for (const { key, value } of governor.changes()) {
    if (!key.startsWith('counter/') || value === null) continue
    const { fromMs, spent } = JSON.parse(value) as { fromMs: number; spent: string }
    counted.set(fromMs, BigInt(spent))
  }
  return counted
}

test('over the end of an hour each call counts in the hour in which it was admitted, and neither hour is exceeded', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const simulation = crossing(seed)
      simulation.run()
      assert.ok(simulation.isDone, 'a call waits for ever')
      const billed = billedByHour(simulation)
      assert.deepEqual(new Set(billed.keys()), new Set([START_MS, SECOND_HOUR_MS]))
      assert.deepEqual(countedByHour(simulation), billed)
      for (const tokens of billed.values()) {
        assert.ok(tokens <= BigInt(LIMIT_TOKENS), `${tokens} tokens in one hour`)
        assert.ok(tokens > (BigInt(LIMIT_TOKENS) * 9n) / 10n, `only ${tokens} tokens in one hour`)
      }
    }),
    { numRuns: RUNS },
  )
})

test('a call that waits at the end of an hour goes on as soon as the next one begins', () => {
  let waited = 0
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const simulation = crossing(seed)
      simulation.run()
      for (const { askedMs, admittedMs } of simulation.admissions) {
        if (askedMs >= SECOND_HOUR_MS || admittedMs < SECOND_HOUR_MS) continue
        waited++
        assert.ok(admittedMs < SECOND_HOUR_MS + PROMPT_MS, `${admittedMs - SECOND_HOUR_MS} ms late`)
      }
    }),
    { numRuns: RUNS },
  )
  assert.ok(waited > RUNS, `${waited} calls waited over the end of the hour`)
})
