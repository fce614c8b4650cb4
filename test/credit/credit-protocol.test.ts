import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { BudgetStatus } from '@tokenfuse/protocol'
import { Governor } from '../../processor/src/governor/governor.ts'
import { Simulation, type SimulationOptions } from './simulation.ts'

const LIMIT_TOKENS = 60_000
/** Many round trips, and far less than the pause after which a guard with nothing to tell reports anyway. */
const STALL_MS_MAX = 3_000
const RUNS = 25

/** Heavy-tailed, about 60 tokens at first and about 600 later on. */
function growingOutput(random: () => number, progress: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.ceil(Math.exp(4 + normal * 0.8) * (progress > 0.3 ? 10 : 1))
}

function simulate(seed: number, more: Partial<SimulationOptions> = {}): Simulation {
  return new Simulation({
    seed,
    guards: 6,
    callersPerGuard: 4,
    callsPerCaller: 25,
    policy: {
      version: 1,
      budgets: [{ id: 'hard', window: 'lifetime', limit: { tokens: LIMIT_TOKENS } }],
    },
    limitOnWire: (random) => (random() < 0.5 ? null : 2000),
    inputTokens: (random) => Math.ceil(100 + random() * 200),
    outputTokens: growingOutput,
    ...more,
  })
}

const committed = ({ spent, outstanding, held }: BudgetStatus) =>
  BigInt(spent) + BigInt(outstanding) + BigInt(held)

/** Every event, checks that nothing is promised twice; at the end, that nothing was billed beyond the limit. */
function assertHolds(simulation: Simulation): void {
  simulation.onApplied = () => {
    for (const status of simulation.governor.budgets()) {
      assert.ok(
        committed(status) <= BigInt(status.limit),
        `spent + outstanding + held = ${committed(status)} of ${status.limit} at offset ${simulation.governor.offset}`,
      )
    }
  }
  simulation.run()
  assert.ok(simulation.billed <= BigInt(LIMIT_TOKENS), `billed ${simulation.billed}`)
}

function assertNoFalseRefusal({ refusals }: Simulation): void {
  const early = refusals.find(({ known, limit }) => known * 100n < limit * 98n)
  assert.equal(early, undefined)
}

test('a hard budget is never exceeded and nobody is refused before 98 % of it is spoken for', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const simulation = simulate(seed)
      assertHolds(simulation)
      assertNoFalseRefusal(simulation)
      assert.ok(simulation.isDone, 'a call waits for ever')
      assert.ok(simulation.refusals.length > 0, 'the load never reached the limit')
    }),
    { numRuns: RUNS },
  )
})

test('a call waits for calls in flight, never for credit that lies idle elsewhere', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 2, max: 8 }), (seed, callersPerGuard) => {
      const simulation = simulate(seed, { guards: 8, callersPerGuard, callsPerCaller: 10 })
      simulation.run()
      const { longestStallMs } = simulation
      assert.ok(longestStallMs < STALL_MS_MAX, `${longestStallMs} ms with no call in flight`)
    }),
    { numRuns: RUNS },
  )
})

test('lost, repeated, late and reordered messages never let a hard budget be exceeded', () => {
  const faults = fc.record({
    loss: fc.double({ min: 0, max: 0.2, noNaN: true }),
    repeat: fc.double({ min: 0, max: 0.3, noNaN: true }),
  })
  fc.assert(
    fc.property(fc.integer(), faults, (seed, fault) => {
      const simulation = simulate(seed, fault)
      assertHolds(simulation)
      assertNoFalseRefusal(simulation)
      assert.ok(simulation.isDone, 'a call waits for ever')
    }),
    { numRuns: RUNS },
  )
})

test('the credit of a killed guard is held, so that what it spent unseen cannot be spent again', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 20, max: 1500 }), (seed, killGuardAtMs) => {
      assertHolds(simulate(seed, { killGuardAtMs }))
    }),
    { numRuns: RUNS },
  )
})

test('no credit leaks: when all guards are quiet nothing is outstanding', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const simulation = simulate(seed, { callsPerCaller: 2, loss: 0.05, repeat: 0.05 })
      simulation.run()
      const [status] = simulation.governor.budgets()
      assert.equal(status?.outstanding, '0')
      assert.equal(status?.held, '0')
      assert.equal(status?.spent, String(simulation.billed))
    }),
    { numRuns: RUNS },
  )
})

test('the same log gives the same state and effects byte for byte, also from a snapshot taken anywhere', () => {
  const bytes = (value: unknown) =>
    JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? String(field) : field))
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, share) => {
      const simulation = simulate(seed, { callsPerCaller: 6, loss: 0.1, repeat: 0.1 })
      const expected: string[] = []
      simulation.onApplied = (effects) => expected.push(bytes(effects))
      simulation.run()
      const cut = Math.floor(share * simulation.log.length)
      const first = new Governor()
      for (const entry of simulation.log.slice(0, cut)) first.apply(entry)
      const snapshot = first
        .changes()
        .flatMap(({ key, value }) => (value === null ? [] : [[key, value] as const]))
      const second = Governor.restore(snapshot)
      const rest = simulation.log.slice(cut).map((entry) => bytes(second.apply(entry)))
      // The policy came before anyone listened.
      const from = Math.max(cut, 1)
      assert.deepEqual(rest.slice(from - cut), expected.slice(from - 1))
      assert.equal(second.stateHash, simulation.governor.stateHash)
      assert.equal(bytes(second.budgets()), bytes(simulation.governor.budgets()))
    }),
    { numRuns: RUNS },
  )
})
