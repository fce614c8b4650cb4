import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import type { BudgetForecast } from '@tokenfuse/protocol'
import { ScopeForecasts } from '../../../../processor/src/governor/forecast/scope-forecasts.ts'
import { FUZZ_MS } from '../../../support/fuzz.ts'
import { seededRandom } from '../../../support/random.ts'
import {
  assertSameRecords,
  callOf,
  DAY_MS,
  Governed,
  HOUR_MS,
  MINUTE_MS,
  MONDAY_MS,
} from '../support/governed.ts'

const agentDay = { id: 'agent', per: ['agent' as const], window: 'day' as const }
const ofWriter = (forecasts: readonly BudgetForecast[]) =>
  forecasts.find(({ scope }) => scope === 'agent=writer')

/** The same use every half hour, for so many days from Monday on. */
function useSteadily(governed: Governed, days: number, tokens: number): void {
  for (let timeMs = MONDAY_MS; timeMs < MONDAY_MS + days * DAY_MS; timeMs += 30 * MINUTE_MS) {
    governed.tickTo(timeMs)
    governed.use(timeMs, tokens)
  }
}

suite('the forecasts of budgets', () => {
  test('of a constant rate are rate x time, in tokens and in money', () => {
    const governed = new Governed()
    governed.setPolicy([
      { ...agentDay, limit: { tokens: 1_000_000 } },
      { id: 'usd', window: 'day', limit: { usd: '0.003' } },
    ])
    useSteadily(governed, 4.5, 1000)
    governed.tickTo(MONDAY_MS + 4.5 * DAY_MS)
    const [tokens, money] = governed.governor.forecasts()
    // 48 half hours x 1,000 tokens; x 150,000 pico-USD each that is 0.0072 USD.
    assert.equal(tokens?.forecast?.endOfWindow, '48000')
    assert.equal(tokens?.forecast?.breachProbability, 0)
    assert.equal(money?.forecast?.endOfWindow, '7200000000')
    assert.equal(money?.forecast?.breachProbability, 1)
    assert.equal(money?.spent, '3600000000')
    // 0.003 USD are 20 half hours: passed already.
    assert.equal(Date.parse(money?.forecast?.exhaustedAt ?? ''), governed.governor.logTimeMs)
  })

  test('are not given before three days of the past had usage', () => {
    const governed = new Governed()
    governed.setPolicy([{ ...agentDay, limit: { tokens: 1_000_000 } }])
    useSteadily(governed, 2.9, 1000)
    assert.equal(ofWriter(governed.governor.forecasts())?.forecast, null)
    assert.equal(ofWriter(governed.governor.forecasts())?.missing, 'insufficient history')
    for (let hour = 72; hour < 73; hour++) governed.use(MONDAY_MS + hour * HOUR_MS, 1000)
    assert.ok(ofWriter(governed.governor.forecasts())?.forecast)
  })

  test('hold what was spent and not forecast, and change nothing when read', () => {
    const governed = new Governed()
    governed.setPolicy([{ ...agentDay, limit: { tokens: 1_000_000 } }])
    useSteadily(governed, 4.5, 1000)
    const before = new Map(governed.records())
    const first = governed.governor.forecasts()
    assert.deepEqual(governed.governor.forecasts(), first)
    assert.deepEqual(governed.records(), before)
    const [forecast] = governed.governor.forecasts({ budget: 'agent', scope: 'agent=writer' })
    assert.deepEqual(forecast, first[0])
    assert.deepEqual(governed.governor.forecasts({ budget: 'other' }), [])
  })

  test('hold for limits and calls beyond what a number holds exactly', () => {
    const governed = new Governed()
    governed.setPolicy([
      { id: 'vast', window: 'day', limit: { usd: '20000000000' } },
      { id: 'small', window: 'day', limit: { usd: '1' } },
    ])
    const random = seededRandom(3)
    for (let timeMs = MONDAY_MS; timeMs < MONDAY_MS + 5.5 * DAY_MS; timeMs += HOUR_MS) {
      governed.tickTo(timeMs)
      const digits = Math.floor(random() * 60)
      governed.use(timeMs, 1000, { costPicoUsd: `9${'0'.repeat(digits)}` })
    }
    for (const { forecast, spent } of governed.governor.forecasts()) {
      assert.ok(forecast && BigInt(forecast.endOfWindow) > 0n && BigInt(spent) > 0n)
      assert.ok(BigInt(forecast.lower) <= BigInt(forecast.upper))
    }
    const cheap = new Governed()
    cheap.setPolicy([{ id: 'vast', window: 'day', limit: { usd: '20000000000' } }])
    // Fifteen million USD a day of a limit of twenty thousand million.
    for (let timeMs = MONDAY_MS; timeMs < MONDAY_MS + 4.5 * DAY_MS; timeMs += 12 * HOUR_MS) {
      cheap.tickTo(timeMs)
      cheap.use(timeMs, 1000, { costPicoUsd: '7500000000000000000' })
    }
    cheap.tick(MONDAY_MS + 4.25 * DAY_MS)
    const [vast] = cheap.governor.forecasts()
    assert.equal(vast?.forecast?.endOfWindow, '15000000000000000000')
    assert.equal(vast?.forecast?.breachProbability, 0)
  })

  test('begin anew where a budget counts another thing, and only there', () => {
    const governed = new Governed()
    governed.setPolicy([{ ...agentDay, limit: { tokens: 1_000_000 } }])
    useSteadily(governed, 4.5, 1000)
    const nowMs = governed.governor.logTimeMs
    governed.setPolicy([{ ...agentDay, limit: { tokens: 20_000 } }], {}, nowMs)
    assert.equal(ofWriter(governed.governor.forecasts())?.forecast?.breachProbability, 1)
    governed.setPolicy([{ ...agentDay, limit: { usd: '5' } }], {}, nowMs)
    governed.use(nowMs, 1000)
    assert.equal(ofWriter(governed.governor.forecasts())?.forecast, null)
  })

  test('and their bytes are the same whatever the log is cut into by snapshots', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 2, max: 40 }),
        (seed, cut) => {
          const [one, two] = [new Governed(), new Governed()]
          const budgets = (['hour', 'day', 'week', 'month'] as const).map((window) => ({
            id: window,
            per: ['agent' as const],
            window,
            limit: { usd: '1' },
          }))
          for (const governed of [one, two]) governed.setPolicy(budgets)
          const random = seededRandom(seed)
          let timeMs = MONDAY_MS
          for (let at = 0; at < 120; at++) {
            timeMs += Math.floor(random() * random() * 4 * HOUR_MS)
            const agent = `agent-${Math.floor(random() * 3)}`
            // Some are told of late.
            const call = callOf(timeMs - Math.floor(random() ** 4 * HOUR_MS), 1000, { agent })
            for (const governed of [one, two]) {
              governed.tickTo(timeMs)
              governed.apply(call, timeMs)
            }
            if (at % cut === 0) two.restart()
          }
          assertSameRecords(one, two)
          assert.deepEqual(two.governor.forecasts(), one.governor.forecasts())
          assert.equal(two.governor.stateHash, one.governor.stateHash)
        },
      ),
      { interruptAfterTimeLimit: FUZZ_MS, numRuns: 12 },
    )
  })
})

suite('scopes without room for a forecast', () => {
  const budget = { id: 'agent', window: 'day' as const }
  const forecastsOf = (maxScopes: number) => {
    let order = 0
    return new ScopeForecasts({ nextOrder: () => ++order, maxScopes })
  }

  test('are counted, and remembered once others are forgotten', () => {
    const forecasts = forecastsOf(2)
    for (const scope of ['a', 'b', 'c']) {
      forecasts.record(forecasts.binOf(budget, scope, MONDAY_MS), MONDAY_MS, MONDAY_MS, 1)
    }
    assert.equal(forecasts.refused, 1)
    assert.deepEqual(
      ['a', 'b', 'c'].map((scope) => forecasts.has('agent', scope)),
      [true, true, false],
    )
    const refused = forecasts.binOf(budget, 'c', MONDAY_MS)
    // Sixteen days on nothing is left of what a and b used, in a ring of fifteen.
    const laterMs = MONDAY_MS + 16 * DAY_MS
    forecasts.tick(laterMs)
    assert.equal(refused.isGone, true)
    assert.equal(forecasts.binOf(budget, 'c', laterMs).row?.scope, 'c')
  })

  test('of one budget leave those of another their share', () => {
    const forecasts = forecastsOf(4)
    forecasts.policyChanged({ name: 'UTC', offsets: [{ fromMs: 0, offsetMs: 0 }] }, 2)
    for (const scope of ['a', 'b', 'c', 'd']) forecasts.binOf(budget, scope, MONDAY_MS)
    assert.equal(forecasts.has('agent', 'c'), false)
    assert.equal(forecasts.binOf({ id: 'user', window: 'day' }, 'u', MONDAY_MS).row?.scope, 'u')
  })
})
