import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { PolicyInput } from '@tokenfuse/protocol'
import { Simulation } from './simulation.ts'

const RUNS = 15
const LIMIT = 150
const STEPS = 400

/** Six guards with four callers each, who take steps that other guards take too. */
function simulate(seed: number, limit: NonNullable<PolicyInput['budgets']>[number]['limit']) {
  const simulation = new Simulation({
    seed,
    guards: 6,
    callersPerGuard: 4,
    callsPerCaller: 25,
    policy: { version: 1, budgets: [{ id: 'hard', window: 'lifetime', limit }] },
    loss: 0.05,
    repeat: 0.1,
    limitOnWire: () => 2000,
    inputTokens: () => 100,
    outputTokens: (random) => 20 + Math.ceil(random() * 200),
    step: (random) => `step-${Math.floor(random() * STEPS)}`,
  })
  simulation.onApplied = () => {
    for (const { spent, outstanding, held } of simulation.governor.budgets()) {
      assert.ok(Number(spent) + Number(outstanding) + Number(held) <= LIMIT)
    }
  }
  simulation.run()
  assert.ok(simulation.isDone, 'a call waits for ever')
  assert.ok(simulation.refusals.length > 0, 'the load never reached the limit')
  return simulation
}

test('a hard budget of calls lets exactly so many run, and shortens no answer', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const simulation = simulate(seed, { calls: LIMIT })
      assert.ok(simulation.admissions.length <= LIMIT)
      assert.ok(
        simulation.admissions.length > LIMIT * 0.95,
        `${simulation.admissions.length} calls`,
      )
      assert.equal(simulation.truncated, 0)
      const [status] = simulation.governor.budgets()
      assert.equal(status?.spent, String(simulation.admissions.length))
    }),
    { numRuns: RUNS },
  )
})

test('a hard budget of steps is never exceeded, and each step counts once whoever takes it and however many calls it has', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const simulation = simulate(seed, { steps: LIMIT })
      const steps = new Set(simulation.admissions.map(({ step }) => step))
      assert.ok(steps.size <= LIMIT, `${steps.size} steps`)
      assert.ok(steps.size > LIMIT * 0.95, `only ${steps.size} steps`)
      assert.ok(simulation.admissions.length > steps.size)
      const [status] = simulation.governor.budgets()
      assert.equal(status?.spent, String(steps.size))
      assert.equal(status?.unconfirmed, '0')
    }),
    { numRuns: RUNS },
  )
})
