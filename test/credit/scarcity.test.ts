import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { CRITICALITIES } from '@tokenfuse/protocol'
import { Simulation, type SimulationOptions } from './simulation.ts'

const LIMIT_TOKENS = 60_000
const RUNS = 7
const GUARDS = 6
/** Two calls of each guard, of 450 tokens at most. */
const BEYOND_TOKENS = 2 * GUARDS * 450
const [CRITICAL, NORMAL, BEST_EFFORT] = CRITICALITIES.keys()

function simulate(seed: number, rank: NonNullable<SimulationOptions['rank']>): Simulation {
  const simulation = new Simulation({
    seed,
    guards: GUARDS,
    callersPerGuard: 3,
    callsPerCaller: 60,
    policy: {
      version: 1,
      budgets: [{ id: 'shared', window: 'lifetime', limit: { tokens: LIMIT_TOKENS } }],
    },
    limitOnWire: () => 1000,
    inputTokens: () => 100,
    outputTokens: (random) => 50 + Math.ceil(random() * 300),
    rank,
  })
  simulation.onApplied = () => {
    for (const { spent, outstanding, held } of simulation.governor.budgets()) {
      assert.ok(BigInt(spent) + BigInt(outstanding) + BigInt(held) <= BigInt(LIMIT_TOKENS))
    }
  }
  simulation.run()
  assert.ok(simulation.isDone, 'a call waits for ever')
  return simulation
}

/** What was spent in all when the last call of a rank ran. */
function spentAtLast({ admissions }: Simulation, rank: number | undefined): number {
  let spent = 0
  let last = 0
  for (const call of admissions) {
    spent += Number(call.tokens)
    if (call.rank === rank) last = spent
  }
  return last
}

/** Of what is spent in all, where calls of each rank end. */
function assertEndInOrder(simulation: Simulation): void {
  const ended = [CRITICAL, NORMAL, BEST_EFFORT].map((rank) => spentAtLast(simulation, rank))
  const [critical = 0, normal = 0, bestEffort = 0] = ended
  // A fifth is kept from best effort, a tenth from normal calls.
  assert.ok(bestEffort <= LIMIT_TOKENS * 0.8, `best effort at ${bestEffort}`)
  assert.ok(normal <= LIMIT_TOKENS * 0.9, `normal at ${normal}`)
  assert.ok(bestEffort < normal && normal < critical)
  assert.ok(critical > LIMIT_TOKENS * 0.97, `critical at ${critical}`)
}

test('where a shared budget runs low best-effort calls end first, normal ones next, and critical ones get the rest', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => assertEndInOrder(simulate(seed, (guard) => guard % 3))),
    { numRuns: RUNS },
  )
})

test('the same holds where each process makes calls of every kind', () => {
  const mixed: SimulationOptions['rank'] = (_, random) => Math.floor(random() * 3)
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const simulation = simulate(seed, mixed)
      const bestEffort = spentAtLast(simulation, BEST_EFFORT)
      const normal = spentAtLast(simulation, NORMAL)
      // What others spent is heard of a little later, so a call or two of each guard may run beyond.
      assert.ok(bestEffort <= LIMIT_TOKENS * 0.8 + BEYOND_TOKENS, `best effort at ${bestEffort}`)
      assert.ok(normal <= LIMIT_TOKENS * 0.9 + BEYOND_TOKENS, `normal at ${normal}`)
      assert.ok(spentAtLast(simulation, CRITICAL) > LIMIT_TOKENS * 0.97)
    }),
    { numRuns: RUNS },
  )
})

test('where all calls matter alike nothing is kept from them', () => {
  for (const rank of [CRITICAL, NORMAL, BEST_EFFORT]) {
    const simulation = simulate(7, () => rank ?? 0)
    assert.ok(spentAtLast(simulation, rank) > LIMIT_TOKENS * 0.97, `rank ${rank}`)
    assert.ok(simulation.refusals.every(({ why }) => why !== 'scarce'))
  }
})
