import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Simulation } from './simulation.ts'

const MINUTE_MS = 60_000
const LIMIT_TOKENS = 20_000
const RUNS = 5

/** Guards that use up a rolling minute's budget and go on asking, for some minutes. */
function simulate(seed: number): Simulation {
  return new Simulation({
    seed,
    guards: 3,
    callersPerGuard: 2,
    callsPerCaller: 4000,
    policy: {
      version: 1,
      budgets: [{ id: 'rolling', window: 'rolling 1m', limit: { tokens: LIMIT_TOKENS } }],
    },
    limitOnWire: (random) => (random() < 0.5 ? null : 1000),
    inputTokens: (random) => Math.ceil(100 + random() * 100),
    outputTokens: (random) => Math.ceil(50 + random() * 700),
  })
}

test('in no minute, whenever it begins, is more spent than a hard rolling budget allows, and what leaves is lent again', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const simulation = simulate(seed)
      simulation.onApplied = () => {
        for (const { spent, outstanding, held } of simulation.governor.budgets()) {
          assert.ok(BigInt(spent) + BigInt(outstanding) + BigInt(held) <= BigInt(LIMIT_TOKENS))
        }
      }
      simulation.run()
      const { admissions } = simulation
      let first = 0
      let tokens = 0n
      for (const { countsAtMs, tokens: spent } of admissions) {
        tokens += spent
        for (; (admissions[first]?.countsAtMs ?? 0) <= countsAtMs - MINUTE_MS; first++) {
          tokens -= admissions[first]?.tokens ?? 0n
        }
        assert.ok(tokens <= BigInt(LIMIT_TOKENS), `${tokens} tokens within a minute`)
      }
      const minutes = (simulation.nowMs - (admissions[0]?.countsAtMs ?? 0)) / MINUTE_MS
      assert.ok(minutes > 1.5, `only ${minutes} minutes`)
      assert.ok(simulation.billed > (BigInt(LIMIT_TOKENS) * 13n) / 10n, `${simulation.billed}`)
    }),
    { numRuns: RUNS },
  )
})
