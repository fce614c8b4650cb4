import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  advance,
  advanceDueMs,
  forecastAt,
  type ForecastWindow,
  recordUsage,
} from '../../../../processor/src/governor/forecast/index.ts'
import { FUZZ_MS } from '../../../support/fuzz.ts'
import { seededRandom } from '../../../support/random.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, MONDAY_MS, Scope, type Usage } from './scopes.ts'

const WINDOWS: readonly ForecastWindow[] = ['hour', 'day', 'week', 'month']

/** Erratic usage, with silences of up to `gapMs`. */
function usageOf(seed: number, count: number, gapMs: number): Usage[] {
  const random = seededRandom(seed)
  let timeMs = MONDAY_MS
  return Array.from({ length: count }, () => {
    timeMs += Math.floor(random() * random() * gapMs)
    return { timeMs, amount: Math.floor(random() * 1e6) }
  })
}

function stateOf(scope: Scope): string {
  return JSON.stringify([scope.history, scope.pool])
}

suite('the state of forecasts', () => {
  test('is the same after a snapshot taken anywhere, and so are the forecasts', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...WINDOWS),
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 300 }),
        (window, seed, cut) => {
          const usage = usageOf(seed, 300, 6 * HOUR_MS)
          const one = new Scope(window)
          let two = new Scope(window)
          for (const [index, use] of usage.entries()) {
            one.use(use)
            two.use(use)
            if (index !== cut) continue
            const [history, pool] = JSON.parse(stateOf(two)) as [Scope['history'], Scope['pool']]
            two = new Scope(window, undefined, pool)
            two.history = history
          }
          assert.equal(stateOf(two), stateOf(one))
          const nowMs = (usage.at(-1)?.timeMs ?? 0) + HOUR_MS
          const question = { nowMs, spent: 1e6, limit: 2e6 }
          assert.deepEqual(
            forecastAt(two.passTo(nowMs), two.pool, question, two.spanAt),
            forecastAt(one.passTo(nowMs), one.pool, question, one.spanAt),
          )
        },
      ),
      { interruptAfterTimeLimit: FUZZ_MS, numRuns: 200 },
    )
  })

  test('does not depend on the order in which usage between two checkpoints comes', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ atMs: fc.nat(3 * HOUR_MS - 1), amount: fc.nat(1e12) }), {
          minLength: 1,
        }),
        (usage) => {
          const run = (ordered: readonly { atMs: number; amount: number }[]) => {
            const scope = new Scope('day')
            scope.use({ timeMs: MONDAY_MS, amount: 7 })
            const history = scope.passTo(MONDAY_MS + 3 * HOUR_MS)
            for (const { atMs, amount } of ordered) recordUsage(history, MONDAY_MS + atMs, amount)
            return stateOf(scope)
          }
          assert.equal(run([...usage].reverse()), run(usage))
        },
      ),
      { interruptAfterTimeLimit: FUZZ_MS, numRuns: 200 },
    )
  })

  test('stays below 16 KB a scope, whatever is used and however long', () => {
    for (const window of WINDOWS) {
      const scope = new Scope(window)
      for (const { timeMs, amount } of usageOf(3, 20_000, HOUR_MS)) {
        scope.use({ timeMs, amount: amount * 1000 })
      }
      const size = JSON.stringify(scope.history).length
      assert.ok(size < 16_384, `${window}: ${size} bytes`)
      const numbers = JSON.stringify(scope.history).match(/[\d.e+-]+/g)?.length ?? 0
      assert.ok(numbers * 8 < 12_288, `${window}: ${numbers} numbers`)
    }
  })

  test('never shows what came later: a forecast knows the usage before it, and nothing else', () => {
    const usage = usageOf(11, 2000, HOUR_MS)
    const nowMs = MONDAY_MS + 12.4 * DAY_MS
    const before = usage.filter(({ timeMs }) => timeMs < nowMs)
    const answers = [before, [...before, { timeMs: nowMs + 3 * HOUR_MS, amount: 1e9 }]].map(
      (known) => {
        const scope = new Scope('day')
        for (const use of known) scope.use(use)
        const question = { nowMs, spent: 1e6, limit: null }
        return scope.history && forecastAt(scope.history, scope.pool, question, scope.spanAt)
      },
    )
    assert.ok(answers[0])
    assert.deepEqual(answers[1], answers[0])
  })
})

suite('time', () => {
  test('is due at the eighths of a window, and passes once', () => {
    const scope = new Scope('day')
    scope.use({ timeMs: MONDAY_MS + 4 * HOUR_MS, amount: 1 })
    const history = scope.passTo(MONDAY_MS + 4 * HOUR_MS)
    assert.equal(advanceDueMs(history), MONDAY_MS + 6 * HOUR_MS)
    const pass = (nowMs: number) => advance(history, scope.pool, nowMs, scope.spanAt)
    assert.equal(pass(MONDAY_MS + 6 * HOUR_MS - 1), false)
    assert.equal(pass(MONDAY_MS + 6 * HOUR_MS), true)
    assert.equal(pass(MONDAY_MS + 6 * HOUR_MS), false)
    assert.equal(advanceDueMs(history), MONDAY_MS + 9 * HOUR_MS)
  })

  test('may stand still or jump by years: forecasts begin anew', () => {
    const scope = new Scope('day')
    for (const use of usageOf(1, 500, HOUR_MS)) scope.use(use)
    const laterMs = MONDAY_MS + 1000 * DAY_MS
    const started = performance.now()
    const history = scope.passTo(laterMs)
    assert.ok(performance.now() - started < 1000)
    assert.ok(advanceDueMs(history) > laterMs)
    assert.ok(advanceDueMs(history) <= laterMs + 3 * HOUR_MS)
    scope.use({ timeMs: laterMs, amount: 5 })
    assert.equal(forecastAt(history, scope.pool, asked(laterMs), scope.spanAt), null)
  })

  test('that is past: late usage counts where it belongs, and none before what is remembered', () => {
    const scope = new Scope('day')
    for (let day = 0; day < 20; day++) {
      scope.use({ timeMs: MONDAY_MS + day * DAY_MS + HOUR_MS, amount: 1000 })
    }
    const nowMs = MONDAY_MS + 20 * DAY_MS
    const history = scope.passTo(nowMs)
    const pointNow = () => forecastAt(history, scope.pool, asked(nowMs), scope.spanAt)?.point
    assert.equal(pointNow(), 1000)
    assert.equal(recordUsage(history, nowMs - DAY_MS + 2 * HOUR_MS, 500), true)
    assert.notEqual(pointNow(), 1000)
    assert.equal(recordUsage(history, nowMs - DAY_MS + 2 * HOUR_MS, -500), true)
    assert.equal(pointNow(), 1000)
    assert.equal(recordUsage(history, MONDAY_MS, 500), false)
    assert.equal(pointNow(), 1000)
  })

  test('between bins gives every bin its share', () => {
    const scope = new Scope('day')
    for (let minute = 0; minute < 5 * 24 * 60; minute++) {
      scope.use({ timeMs: MONDAY_MS + minute * MINUTE_MS, amount: 100 })
    }
    for (let minute = 0; minute < 90; minute += 7) {
      const nowMs = MONDAY_MS + 5 * DAY_MS + minute * MINUTE_MS
      for (let past = minute - 7; minute > 0 && past < minute; past++) {
        scope.use({ timeMs: MONDAY_MS + 5 * DAY_MS + past * MINUTE_MS, amount: 100 })
      }
      const question = { nowMs, spent: minute * 100, limit: null }
      const answer = forecastAt(scope.passTo(nowMs), scope.pool, question, scope.spanAt)
      assert.ok(answer && Math.abs(answer.point - 144_000) <= 100, `${minute}: ${answer?.point}`)
    }
  })
})

function asked(nowMs: number) {
  return { nowMs, spent: 0, limit: null }
}
