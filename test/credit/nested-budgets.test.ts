import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Simulation } from './simulation.ts'

const LIMIT_TOKENS = 60_000
const RUNS = 7
const PLANNER = { agent: 'planner', task: 't' }

test('sub-agents in six processes, each with a name of its own, never exceed the one allowance of the agent they work for', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const limit = { tokens: LIMIT_TOKENS }
      const simulation = new Simulation({
        seed,
        guards: 6,
        callersPerGuard: 3,
        callsPerCaller: 40,
        policy: {
          version: 1,
          budgets: [{ id: 'agents', per: ['agent'], window: 'day', limit, nested: true }],
        },
        loss: 0.05,
        repeat: 0.1,
        agent: (guard) => ({ agent: `searcher-${guard}`, callers: [PLANNER] }),
        limitOnWire: () => 1000,
        inputTokens: () => 100,
        outputTokens: (random) => 50 + Math.ceil(random() * 300),
      })
      simulation.onApplied = () => {
        for (const { spent, outstanding, held } of simulation.governor.budgets()) {
          assert.ok(BigInt(spent) + BigInt(outstanding) + BigInt(held) <= BigInt(LIMIT_TOKENS))
        }
      }
      simulation.run()
      assert.ok(simulation.isDone, 'a call waits for ever')
      assert.ok(simulation.billed <= BigInt(LIMIT_TOKENS), `billed ${simulation.billed}`)
      assert.ok(simulation.billed > (BigInt(LIMIT_TOKENS) * 95n) / 100n, `${simulation.billed}`)
      const spent = new Map(
        simulation.governor.budgets().map((status) => [status.scope, BigInt(status.spent)]),
      )
      const ofPlanner = spent.get('agent=planner') ?? 0n
      spent.delete('agent=planner')
      assert.equal(ofPlanner, simulation.billed)
      assert.equal(
        [...spent.values()].reduce((sum, each) => sum + each, 0n),
        simulation.billed,
      )
    }),
    { numRuns: RUNS },
  )
})
