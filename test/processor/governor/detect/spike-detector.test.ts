import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { explainSpike } from '../../../../processor/src/governor/detect/explain.ts'
import {
  SpikeDetector,
  type SpikeDetection,
} from '../../../../processor/src/governor/detect/spike-detector.ts'
import { seededRandom } from '../../../support/random.ts'
import { HOUR_MS, keep, MINUTE_MS, withPrefix } from './calls.ts'

const WINDOW_MS = 10 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const PER_DAY = 144

/** A detector and its clock, which moves by windows of ten minutes. */
class Watch {
  detector = new SpikeDetector()
  window = 0
  readonly found: SpikeDetection[] = []
  readonly #records = new Map<string, string>()

  get nowMs(): number {
    return this.window * WINDOW_MS
  }

  /** One window, in which scopes spend so much. */
  pass(amounts: Readonly<Record<string, number>>): void {
    for (const [scope, tokens] of Object.entries(amounts)) {
      if (tokens > 0) this.found.push(...this.detector.observe('agent', scope, this.nowMs, tokens))
    }
    this.window++
    this.found.push(...this.detector.advance(this.nowMs))
  }

  restart(): void {
    keep(this.#records, this.detector.takeChanges())
    this.detector = new SpikeDetector()
    this.detector.restore((prefix) => withPrefix(this.#records, prefix))
  }

  /** The alarms that began. */
  get began(): SpikeDetection[] {
    return this.found.filter(({ state }) => state === 'began')
  }
}

/** 50,000 to 150,000 tokens in each window. */
const busy = (random: () => number) => Math.round(50_000 + random() * 100_000)

function watchAfterDays(days: number, scopes: readonly string[], random: () => number): Watch {
  const watch = new Watch()
  for (let at = 0; at < days * PER_DAY; at++) {
    watch.pass(Object.fromEntries(scopes.map((scope) => [scope, busy(random)])))
  }
  return watch
}

suite('the spike detector', () => {
  test('a constant rate gives no alarm', () => {
    const watch = new Watch()
    for (let at = 0; at < 14 * PER_DAY; at++) watch.pass({ a: 100_000 })
    assert.deepEqual(watch.found, [])
  })

  for (const [factor, minutes] of [
    [3, 60],
    [5, 10],
    [10, 10],
  ] as const) {
    test(`${factor} times the usual is told of within ${minutes} minutes`, () => {
      const watch = watchAfterDays(7, ['a'], seededRandom(1))
      watch.found.length = 0
      const from = watch.window
      while (watch.began.length === 0 && watch.window < from + 36) {
        watch.pass({ a: factor * 100_000 })
      }
      assert.ok(watch.began.length === 1 && watch.window - from <= minutes / 10)
    })
  }

  test('says whose highest it is held against, what it spent, and what an end would save', () => {
    const watch = watchAfterDays(7, ['a'], seededRandom(1))
    watch.found.length = 0
    for (let at = 0; at < 12; at++) watch.pass({ a: 1_000_000 })
    for (let at = 0; at < 12; at++) watch.pass({})
    const [began, ...others] = watch.found
    const ended = others.at(-1)
    assert.ok(began && ended)
    assert.deepEqual([began.state, ended.state], ['began', 'ended'])
    assert.equal(began.dimension, 'agent')
    assert.equal(began.scope, 'a')
    assert.equal(began.of, 'scope')
    assert.ok(began.recentTop <= 150_000 && began.minutes === 10)
    // 12 windows of 1,000,000; usual are 12 of 100,000 on average
    assert.equal(ended.tokens, 12_000_000)
    assert.ok(Math.abs(ended.excessTokens - 10_800_000) < 600_000, `${ended.excessTokens}`)
    assert.match(explainSpike(ended), /far beyond its own highest of late/)
  })

  test('an alarm holds while the spend does, and ends an hour after it', () => {
    const watch = watchAfterDays(7, ['a'], seededRandom(1))
    watch.found.length = 0
    for (let at = 0; at < 18; at++) watch.pass({ a: 1_000_000 })
    const states = () => watch.found.map(({ state }) => state).filter((state) => state !== 'rose')
    assert.deepEqual(states(), ['began'])
    assert.equal(watch.detector.alarms().length, 1)
    const over = watch.window
    while (watch.detector.alarms().length > 0) watch.pass({ a: 1000 })
    // The sum of three hours goes on being high for a while.
    assert.ok(watch.window - over >= 7 && watch.window - over <= 7 + 18)
    assert.deepEqual(states(), ['began', 'ended'])
  })

  test('an alarm that goes on growing rises from level to level, each told of once', () => {
    const watch = watchAfterDays(7, ['a'], seededRandom(1))
    watch.found.length = 0
    for (let at = 0; at < 30; at++) watch.pass({ a: 150_000 + at * 100_000 })
    assert.deepEqual(
      watch.found.map(({ state, level }) => `${state} ${level}`),
      ['began notice', 'rose cheaper', 'rose pause', 'rose kill'],
    )
  })

  test('an idle scope ends its alarm by the clock alone', () => {
    const watch = watchAfterDays(7, ['a'], seededRandom(1))
    watch.pass({ a: 2_000_000 })
    assert.equal(watch.detector.alarms().length, 1)
    const dueMs = watch.detector.dueMs()
    assert.ok(dueMs !== null)
    assert.deepEqual(watch.detector.advance(dueMs - 1), [])
    assert.equal(watch.detector.advance(dueMs)[0]?.state, 'ended')
    assert.equal(watch.detector.dueMs(), null)
  })

  test('without a day of history nothing is said', () => {
    const watch = new Watch()
    for (let at = 0; at < PER_DAY - 6; at++) watch.pass({ a: at % 20 === 0 ? 5_000_000 : 1000 })
    assert.deepEqual(watch.found, [])
  })

  test('a scope that is busy by day alone is held against its days, not against the night', () => {
    const random = seededRandom(3)
    const watch = new Watch()
    for (let at = 0; at < 14 * PER_DAY; at++) {
      const hour = Math.floor((at % PER_DAY) / 6)
      watch.pass({ a: hour >= 8 && hour < 18 ? busy(random) : 0 })
    }
    assert.ok(watch.began.length <= 2, `${watch.began.length} alarms in 14 days`)
  })

  test('scopes that leap about by habit have about one alarm in ten days each', () => {
    const random = seededRandom(7)
    const watch = new Watch()
    const scopes = Array.from({ length: 20 }, (_, at) => `s${at}`)
    const leap = () => (random() < 0.004 ? 3 + random() * 6 : 1)
    const days = 28
    let counted = 0
    for (let at = 0; at < days * PER_DAY; at++) {
      if (at === 7 * PER_DAY) counted = watch.began.length
      watch.pass(
        Object.fromEntries(scopes.map((scope) => [scope, Math.round(busy(random) * leap())])),
      )
    }
    const perDay = (watch.began.length - counted) / (days - 7) / scopes.length
    assert.ok(perDay > 0.03 && perDay < 0.13, `${perDay} alarms a scope and day`)
  })

  test('what is not worth an alarm gives none, however high the factor', () => {
    const watch = new Watch()
    for (let at = 0; at < 7 * PER_DAY; at++) watch.pass({ a: 10 })
    for (let at = 0; at < 36; at++) watch.pass({ a: 1000 })
    assert.deepEqual(watch.found, [])
  })

  test('a new scope that spends three times what nearly all others ever do is told of at once', () => {
    const random = seededRandom(2)
    const users = Array.from({ length: 30 }, (_, at) => `u${at}`)
    const watch = watchAfterDays(6, users, random)
    watch.found.length = 0
    watch.pass({ fresh: 900_000 })
    assert.equal(watch.found.length, 0)
    for (let at = 0; at < 5; at++) watch.pass({ abuser: 900_000, fresh: 100_000 })
    const [began] = watch.found
    assert.equal(began?.scope, 'abuser')
    assert.equal(began.of, 'peers')
  })

  test('tells the same of the same calls, also when it is made anew from a snapshot at any point', () => {
    const run = (restarts: ReadonlySet<number>) => {
      const random = seededRandom(5)
      const watch = new Watch()
      for (let at = 0; at < 9 * PER_DAY; at++) {
        if (restarts.has(at)) watch.restart()
        watch.pass({
          a: busy(random) * (random() < 0.003 ? 4 + random() * 20 : 1),
          b: random() < 0.5 ? busy(random) * (random() < 0.006 ? 4 + random() * 20 : 1) : 0,
          c: Math.round(busy(random) * (1 + 0.5 * Math.floor(at / 500))),
        })
      }
      return watch.found.map((found) => JSON.stringify(found))
    }
    const told = run(new Set())
    assert.ok(told.length > 5)
    assert.deepEqual(run(new Set()), told)
    assert.deepEqual(run(new Set([1, 300, 301, 700, 1000, 1295])), told)
  })

  test('calls that come late count in their window, and too late ones are counted apart', () => {
    const watch = watchAfterDays(3, ['a'], seededRandom(1))
    watch.found.length = 0
    const { detector, nowMs } = watch
    assert.equal(detector.observe('agent', 'a', nowMs - 30 * MINUTE_MS, 5_000_000).length, 1)
    assert.equal(detector.late, 0)
    assert.deepEqual(detector.observe('agent', 'a', nowMs - DAY_MS, 5_000_000), [])
    assert.equal(detector.late, 1)
  })

  test('a million scopes take no more room than some, no dimension more than half of it, and others are counted', () => {
    const detector = new SpikeDetector(100)
    for (let at = 0; at < 3000; at++) detector.observe('user', `u${at}`, at * 1000, 1000)
    assert.equal(detector.evicted, 2950)
    for (let at = 0; at < 40; at++) detector.observe('agent', `a${at}`, 3_000_000, 1000)
    assert.equal(detector.evicted, 2950)
    const records = new Map<string, string>()
    keep(records, detector.takeChanges())
    assert.equal(withPrefix(records, 'spike-scope/').length, 90)
  })

  test('a scope makes room for another once it was silent for a day', () => {
    const detector = new SpikeDetector(4)
    const atMs = (hours: number) => hours * 6 * 10 * MINUTE_MS
    detector.observe('user', 'old', 0, 1000)
    detector.observe('user', 'busy', 0, 1000)
    detector.observe('user', 'busy', atMs(20), 1000)
    assert.equal(detector.hasRoomFor('user', 'new', atMs(23)), false)
    assert.equal(detector.hasRoomFor('user', 'new', atMs(25)), true)
    detector.observe('user', 'new', atMs(25), 1000)
    assert.equal(detector.hasRoomFor('user', 'busy', atMs(25)), true)
    assert.equal(detector.hasRoomFor('user', 'old', atMs(25)), false)
  })

  test('what it keeps of one scope stays small, however long it is watched', () => {
    const watch = watchAfterDays(40, ['a'], seededRandom(4))
    const sizes = watch.detector.takeChanges().map(({ value }) => value?.length ?? 0)
    assert.ok(Math.max(...sizes) < 4000, `${Math.max(...sizes)} characters`)
  })
})
