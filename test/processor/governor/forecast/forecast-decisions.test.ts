import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { parsePolicy, PolicyError } from '@tokenfuse/protocol'
import fc from 'fast-check'
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

const daily = (forecast: { action?: 'warn' | 'pause' | 'block'; probability?: number }) => ({
  id: 'daily',
  per: ['agent' as const],
  window: 'day' as const,
  // Usual are 48 half hours of 1,000.
  limit: { tokens: 60_000 },
  warnAt: 1,
  forecast,
})

/** Half hours of so many tokens each, up to a time. */
function use(governed: Governed, untilMs: number, tokens: (at: number) => number): void {
  const firstMs = Math.max(MONDAY_MS, governed.governor.logTimeMs + 30 * MINUTE_MS)
  for (let timeMs = firstMs; timeMs < untilMs; timeMs += 30 * MINUTE_MS) {
    governed.tickTo(timeMs)
    governed.use(timeMs, tokens(timeMs))
  }
  governed.tickTo(untilMs)
}

const told = (governed: Governed) =>
  governed.effects.flatMap((effect) =>
    effect.type === 'decision' ? [`${effect.decision.rule} ${effect.decision.action}`] : [],
  )

/** Four usual days, and a fifth that spends four times as much from six o'clock on. */
function surging(forecast: Parameters<typeof daily>[0]): Governed {
  const governed = new Governed()
  governed.setPolicy([daily(forecast)])
  use(governed, MONDAY_MS + 4.25 * DAY_MS, () => 1000)
  assert.deepEqual(told(governed), [])
  use(governed, MONDAY_MS + 4.4 * DAY_MS, () => 4000)
  return governed
}

suite('a budget that acts on its forecast', () => {
  test('warns long before the limit is passed, with the forecast that it was decided on', () => {
    const governed = surging({})
    assert.deepEqual(told(governed), ['forecast warn'])
    const [decision] = governed.governor.decisions()
    assert.equal(decision?.budget, 'daily')
    assert.ok(Number(decision?.inputs.forecast) > 60_000)
    assert.ok(Number(decision?.inputs.spent) < 40_000)
    assert.ok(Number(decision?.parameters['breachProbability']) >= 0.5)
    assert.match(
      decision?.reason ?? '',
      /^budget daily for agent=writer will pass its limit this day/,
    )
  })

  test('blocks where it is to, and lets go when nobody spends any more, and not sooner', () => {
    const governed = surging({ action: 'block', probability: 0.5 })
    assert.deepEqual(told(governed), ['forecast block'])
    // 18,000 at the end of the day above six o'clock's rate; the probability falls while nothing is spent.
    governed.tickTo(MONDAY_MS + 5 * DAY_MS - 1)
    assert.deepEqual(told(governed), ['forecast block', 'forecast allow'])
    assert.deepEqual(governed.governor.decisions(), [])
  })

  test('holds on while the probability is only a little below what began it', () => {
    const governed = new Governed()
    governed.setPolicy([{ ...daily({ probability: 0.5 }), limit: { tokens: 50_000 } }])
    const random = seededRandom(4)
    for (let timeMs = MONDAY_MS; timeMs < MONDAY_MS + 20 * DAY_MS; timeMs += 30 * MINUTE_MS) {
      governed.tickTo(timeMs)
      governed.use(timeMs, Math.floor(random() * 2100))
    }
    const decisions = told(governed).filter((decision) => decision.startsWith('forecast'))
    for (const [at, decision] of decisions.entries()) {
      assert.equal(decision, at % 2 === 0 ? 'forecast warn' : 'forecast allow')
    }
    // It begins and ends twice a day at most, the end of the day being one, though its spend is all chance.
    assert.ok(decisions.length <= 17 * 4, `${decisions.length}`)
  })

  test('lets go at once where an operator raises the limit, and not for another edit', () => {
    const block = { action: 'block' as const }
    const raised = surging(block)
    const { logTimeMs } = raised.governor
    raised.setPolicy([{ ...daily(block), description: 'edited' }], {}, logTimeMs)
    assert.deepEqual(told(raised), ['forecast block'])
    raised.setPolicy([{ ...daily(block), limit: { tokens: 900_000 } }], {}, logTimeMs)
    assert.deepEqual(told(raised), ['forecast block', 'forecast allow'])

    const overridden = surging(block)
    const override = (id: string, add: string, atMs: number) =>
      overridden.apply(
        {
          type: 'override.set',
          v: 1,
          tenant: 'default',
          id,
          budget: 'daily',
          scope: 'agent=writer',
          add,
          reason: 'launch',
          by: 'ann',
          until: null,
        },
        atMs,
      )
    // Nearly as likely passed as before.
    override('o-1', '1', logTimeMs)
    assert.deepEqual(told(overridden), ['forecast block'])
    override('o-2', '900000', logTimeMs)
    assert.deepEqual(told(overridden), ['forecast block', 'forecast allow'])
  })

  test('ends with its window, and with a policy that does not ask for it', () => {
    const governed = surging({})
    governed.setPolicy([daily({ action: 'block' })], {}, governed.governor.logTimeMs)
    assert.deepEqual(told(governed), ['forecast warn', 'forecast allow'])
    const other = surging({})
    use(other, MONDAY_MS + 5 * DAY_MS, () => 4000)
    other.tickTo(MONDAY_MS + 5 * DAY_MS + HOUR_MS)
    assert.equal(told(other).at(-1), 'forecast allow')
    assert.ok(other.governor.decisions().every(({ rule }) => rule !== 'forecast'))
  })

  test('has a window that ends', () => {
    for (const window of ['lifetime', 'rolling 24h']) {
      const text = `version: 1\nbudgets:\n  - { id: a, limit: { tokens: 1 }, window: ${window}, forecast: {} }\n`
      assert.throws(
        () => parsePolicy(text, 'tokenfuse.yaml'),
        (error) => {
          assert.ok(error instanceof PolicyError)
          return error.problems.some(({ field }) => field === 'budgets[0].forecast')
        },
      )
    }
  })

  test('decides the same, byte for byte, wherever the log is cut by snapshots', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 5, max: 90 }),
        (seed, cut) => {
          const [one, two] = [new Governed(), new Governed()]
          for (const governed of [one, two]) {
            governed.setPolicy([{ ...daily({ action: 'block' }), limit: { tokens: 50_000 } }])
          }
          const random = seededRandom(seed)
          let timeMs = MONDAY_MS
          for (let at = 0; at < 250; at++) {
            timeMs += Math.floor(random() * HOUR_MS)
            const call = callOf(timeMs, Math.floor(random() ** 2 * 4000))
            for (const governed of [one, two]) {
              governed.tickTo(timeMs)
              governed.apply(call, timeMs)
            }
            if (at % cut === 0) two.restart()
          }
          assert.deepEqual(two.effects, one.effects)
          assertSameRecords(one, two)
        },
      ),
      { interruptAfterTimeLimit: FUZZ_MS, numRuns: 8 },
    )
  })
})
