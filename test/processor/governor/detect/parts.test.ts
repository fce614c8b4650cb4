import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  addShare,
  emptyCalibration,
  shareFor,
} from '../../../../processor/src/governor/detect/calibration.ts'
import {
  bucketOf,
  lowerEnd,
  upperEnd,
} from '../../../../processor/src/governor/detect/log-buckets.ts'
import {
  addTo,
  countAbove,
  emptySketch,
  halve,
  quantile,
  valueWithAbove,
} from '../../../../processor/src/governor/detect/sketch.ts'
import {
  addDays,
  addPeak,
  limitFor,
  noPeers,
} from '../../../../processor/src/governor/detect/spike-peers.ts'
import {
  markOf,
  STEP_MARKS,
  wayToMark,
} from '../../../../processor/src/governor/detect/step-scale.ts'
import {
  emptyBaseline,
  learnTask,
  limitAfter,
  limitsOf,
} from '../../../../processor/src/governor/detect/task-baseline.ts'

const values = fc.array(fc.integer({ min: 1, max: 1e9 }), { minLength: 1, maxLength: 200 })

suite('buckets', () => {
  test('a value lies within its bucket, and a bucket is a sixteenth wide at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (value) => {
        const bucket = bucketOf(value)
        assert.ok(lowerEnd(bucket) <= value && value < upperEnd(bucket))
        assert.ok(upperEnd(bucket) - lowerEnd(bucket) <= lowerEnd(bucket) / 16)
      }),
    )
  })
})

suite('a sketch', () => {
  test('a quantile is within a bucket of the true one', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const sketch = emptySketch()
        for (const value of all) addTo(sketch, value)
        const sorted = [...all].sort((a, b) => a - b)
        const above = all.length * (1 - share)
        const low = sorted[Math.max(0, Math.ceil(all.length - above) - 1)] ?? 0
        const high = sorted[Math.min(all.length - 1, Math.floor(all.length - above))] ?? 0
        const found = quantile(sketch, share) ?? 0
        assert.ok(found >= low / 1.07 && found <= high * 1.07, `${low} ${found} ${high}`)
      }),
    )
  })

  test('how many are above a value, and the value that so many are above, are inverse', () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (all, part) => {
        const sketch = emptySketch()
        for (const value of all) addTo(sketch, value)
        const above = part * all.length
        const back = countAbove(sketch, valueWithAbove(sketch, above))
        assert.ok(Math.abs(back - above) < 1e-6 * all.length)
      }),
    )
  })

  test('halving halves the total exactly, and keeps the middle', () => {
    fc.assert(
      fc.property(values, (all) => {
        const sketch = emptySketch()
        for (const value of [...all, ...all]) addTo(sketch, value)
        const before = quantile(sketch, 0.5) ?? 0
        halve(sketch)
        assert.equal(sketch.total, all.length)
        assert.equal(
          sketch.counts.reduce((sum, count) => sum + count, 0),
          all.length,
        )
        const after = quantile(sketch, 0.5) ?? 0
        assert.ok(all.length < 20 || Math.abs(after - before) <= before)
      }),
    )
  })
})

suite('steps', () => {
  test('marks rise, and each step lies at its mark or on the way to it', () => {
    assert.deepEqual(STEP_MARKS.slice(0, 3), [1, 2, 3])
    assert.deepEqual(STEP_MARKS.slice(15, 21), [16, 20, 24, 28, 32, 40])
    for (let step = 1; step < 5000; step++) {
      const mark = markOf(step)
      const way = wayToMark(step, mark)
      assert.ok(way > 0 && way <= 1)
      assert.ok(step > 4096 || (STEP_MARKS[mark] ?? 0) >= step)
      assert.ok(mark === 0 || (STEP_MARKS[mark - 1] ?? 0) < step)
    }
  })
})

suite('calibration', () => {
  test('with nothing known the share is a quarter of the wanted rate', () => {
    assert.ok(Math.abs(shareFor(emptyCalibration(), 0.08, 0) - 0.02) < 1e-9)
  })

  test('of the tasks it was learned from, the wanted part lies below the share', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 3, noNaN: true }), (skew) => {
        const calibration = emptyCalibration()
        const shares = Array.from({ length: 4000 }, (_, at) => ((at + 0.5) / 4000) ** skew)
        for (const share of shares) addShare(calibration, share)
        const limit = shareFor(calibration, 0.08, 0)
        const below = shares.filter((share) => share < limit).length / shares.length
        assert.ok(Math.abs(below - 0.08) < 0.015, `${below}`)
      }),
      { numRuns: 30 },
    )
  })

  test('where stopped tasks make up the wanted part, none that comes to its end is to be stopped', () => {
    const calibration = emptyCalibration()
    for (let at = 0; at < 900; at++) addShare(calibration, (at + 0.5) / 900)
    assert.equal(shareFor(calibration, 0.01, 20), 0)
    assert.ok(shareFor(calibration, 0.01, 5) < shareFor(calibration, 0.01, 0))
  })
})

suite('the baseline of tasks', () => {
  test('golden: a hundred equal tasks of ten calls of 1,000 tokens', () => {
    const baseline = emptyBaseline()
    const path = Array.from({ length: 10 }, (_, at) => (at + 1) * 1000)
    for (let at = 0; at < 100; at++) {
      learnTask(baseline, { path, steps: 10, contextSlope: 0, stoppedAt: null })
    }
    const limits = limitsOf(baseline)
    assert.equal(limits.length, 10)
    // After the last call all of them lie in the bucket from 9,728 to 10,240; limits are read within it or beyond.
    for (const level of [0, 1, 2, 3]) {
      const limit = limitAfter(limits, 10, level)
      assert.ok(limit > 10_000 && limit < 10_240 * 2.2, `level ${level}: ${limit}`)
    }
    // Told of from half of what is usual on, stopped from all of it on.
    assert.ok(limitAfter(limits, 1, 0) >= 4900)
    assert.ok(limitAfter(limits, 1, 2) >= 9900)
    assert.equal(limitAfter(limits, 500, 0), limitAfter(limits, 10, 0))
  })

  test('limits rise from level to level and from step to step, whatever was learned', () => {
    const task = fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.array(task, { minLength: 6, maxLength: 60 }), (tasks) => {
        const baseline = emptyBaseline()
        for (const steps of tasks) {
          let sum = 0
          const path: number[] = []
          for (const [at, tokens] of steps.entries()) path[markOf(at + 1)] = sum += tokens
          const filled = Array.from(path, (spent, at) => spent ?? path[at - 1] ?? 0)
          learnTask(baseline, {
            path: filled,
            steps: steps.length,
            contextSlope: 0,
            stoppedAt: null,
          })
        }
        const limits = limitsOf(baseline)
        for (const [at, mark] of limits.entries()) {
          for (const level of [1, 2, 3] as const) {
            assert.ok(level === 2 || (mark[level] ?? 0) >= (mark[level - 1] ?? 0))
          }
          for (const level of [0, 1, 2, 3] as const) {
            assert.ok(at === 0 || mark[level] >= (limits[at - 1]?.[level] ?? 0))
          }
        }
      }),
      { numRuns: 50 },
    )
  })
})

suite('limits of spikes', () => {
  test('with nothing known the limit lies near half as much again as was recent', () => {
    const limit = limitFor(noPeers(), [], 0)
    assert.ok(limit > 1.4 && limit < 1.6, `${limit}`)
  })

  test('quiet peers bring it down to a little above what was recent, wild ones up, but not beyond', () => {
    const quiet = noPeers()
    addDays(quiet, 1000)
    assert.ok(limitFor(quiet, [], 28) < 1.1)
    const wild = noPeers()
    addDays(wild, 1000)
    for (let at = 0; at < 1000; at++) addPeak(wild, 10)
    assert.equal(limitFor(wild, [], 0), 3)
  })

  test("a scope's own wild days raise its limit above its peers'", () => {
    const peers = noPeers()
    addDays(peers, 500)
    for (let at = 0; at < 40; at++) addPeak(peers, 1.2)
    const own = Array.from({ length: 14 }, () => 1.8)
    assert.ok(limitFor(peers, own, 14) > limitFor(peers, [], 14))
  })
})
