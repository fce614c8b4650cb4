import assert from 'node:assert/strict'
import test from 'node:test'
import { Simulation } from './simulation.ts'

const CALLS = 400

test('where there is plenty, credit is renewed in the background: few calls wait for it', () => {
  const simulation = new Simulation({
    seed: 1,
    guards: 1,
    callersPerGuard: 1,
    callsPerCaller: CALLS,
    policy: {
      version: 1,
      budgets: [{ id: 'ample', window: 'lifetime', limit: { tokens: 1_000_000_000 } }],
    },
    limitOnWire: () => 500,
    inputTokens: () => 100,
    outputTokens: () => 50,
  })
  simulation.run()
  assert.equal(simulation.admissions.length, CALLS)
  const waited = simulation.admissions.filter(({ askedMs, admittedMs }) => admittedMs > askedMs)
  assert.ok(waited.length <= CALLS / 20, `${waited.length} calls waited`)
})
