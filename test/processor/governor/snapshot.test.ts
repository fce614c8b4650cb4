import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogEntry } from '@tokenfuse/protocol'
import fc from 'fast-check'
import { Governor } from '../../../processor/src/governor/governor.ts'
import { seededRandom } from '../../support/random.ts'
import { usageEvent } from '../../support/usage-event.ts'
import { applyChanges, Governing, HOUR_MS, iso, NOON_MS } from './governing.ts'

const POLICIES = [
  [
    { id: 'all', window: 'month', limit: { usd: '0.00002' } },
    { id: 'agent', per: ['agent'], window: 'day', limit: { tokens: 400 } },
    { id: 'task', per: ['agent', 'task'], window: 'lifetime', limit: { outputTokens: 90 } },
  ],
  [
    { id: 'agent', per: ['agent'], window: 'day', limit: { tokens: 200 } },
    { id: 'task', per: ['task'], window: 'hour', limit: { outputTokens: 30 }, mode: 'soft' },
  ],
  [],
] as never[]

/** A log of everything that can stand in one, in chance order, under a clock that jumps. */
function someLog(seed: number, length: number): LogEntry[] {
  const random = seededRandom(seed)
  const pick = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(random() * values.length)] as Value
  const governing = new Governing()
  governing.setPolicy({ budgets: POLICIES[0] as never, timezone: 'Europe/Berlin' })
  let last = usageEvent({ time: iso(NOON_MS) })
  for (let index = 0; index < length; index++) {
    governing.nowMs += pick([0, 0, 0, 10, 60_000, HOUR_MS, -HOUR_MS, 7 * HOUR_MS])
    const { nowMs } = governing
    const what = random()
    if (what < 0.05) governing.setPolicy({ budgets: pick(POLICIES) as never })
    else if (what < 0.1) {
      governing.apply({
        type: 'override.set',
        v: 1,
        tenant: 'default',
        id: pick(['o-1', 'o-2']),
        budget: pick(['agent', 'all']),
        scope: pick(['agent=a', '*']),
        add: pick(['100', '1000000']),
        reason: 'needed',
        by: 'ops',
        until: pick([null, iso(nowMs + 2 * HOUR_MS)]),
      })
    } else if (what < 0.2) governing.tick()
    else if (what < 0.3) governing.apply(last)
    else {
      last = usageEvent({
        time: iso(nowMs + pick([0, 0, -60_000, -5 * HOUR_MS, -30 * HOUR_MS, 9 * HOUR_MS])),
        agent: pick(['a', 'b']),
        task: pick(['1', '2', '3']),
        responseId: pick([null, `r-${Math.floor(random() * 30)}`]),
        tags: pick([{}, { team: 'red' }]),
      })
      governing.apply(last)
    }
  }
  return governing.log
}

test('from snapshots taken anywhere, in as many pieces as may be, a log leads to the same effects and the same state byte for byte', () => {
  const cuts = fc.array(fc.nat({ max: 120 }), { maxLength: 5 })
  fc.assert(
    fc.property(fc.integer(), cuts, fc.nat({ max: 120 }), (seed, snapshotAt, restoreAt) => {
      const log = someLog(seed, 120)
      const straight = new Governor()
      const expected = log.map((entry) => JSON.stringify(straight.apply(entry)))

      const stored = new Map<string, string>()
      let governor = new Governor()
      for (const [index, entry] of log.entries()) {
        assert.equal(JSON.stringify(governor.apply(entry)), expected[index])
        if (snapshotAt.includes(index) || index === restoreAt) applyChanges(stored, governor)
        if (index === restoreAt) governor = Governor.restore([...stored])
      }
      assert.equal(governor.stateHash, straight.stateHash)
      assert.equal(governor.tickDueMs(), straight.tickDueMs())
      const state = (records: [string, string][]) =>
        records.filter(([key]) => !key.startsWith('span/') && !key.startsWith('response/'))
      // Ids are stored in as many chunks as snapshots were taken, so they are not compared by byte.
      assert.deepEqual(
        state(applyChanges(stored, governor)),
        state(applyChanges(new Map(), straight)),
      )
    }),
    { numRuns: 12 },
  )
})

test('reads change nothing: a governor that is asked all the time stays the same as one that never is', () => {
  const log = someLog(7, 200)
  const [asked, quiet] = [new Governor(), new Governor()]
  for (const entry of log) {
    quiet.apply(entry)
    asked.apply(entry)
    asked.budgets()
    asked.decisions()
    asked.tickDueMs()
    asked.total()
    asked.usage({ by: ['agent', 'task'], scope: '*', period: 'all', top: 3 })
    asked.accounts('guard-01', [{ budget: 'agent', scope: 'agent=zz', windowFromMs: null }])
    asked.outputQuantiles({ agent: 'a', step: '1', provider: 'p', model: 'm' })
  }
  assert.deepEqual(applyChanges(new Map(), asked), applyChanges(new Map(), quiet))
})
