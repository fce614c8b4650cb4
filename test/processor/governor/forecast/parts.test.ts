import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import {
  addError,
  assumedErrors,
  errorQuantile,
  shareAbove,
} from '../../../../processor/src/governor/forecast/error-counts.ts'
import { middleOf, weightsOf } from '../../../../processor/src/governor/forecast/opinion-weights.ts'
import { seededRandom } from '../../../support/random.ts'

const amounts = fc.double({ min: 0, max: 1e9, noNaN: true })

suite('the middle of opinions', () => {
  test('is between the lowest and the highest, and the opinion of all where they agree', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(amounts, fc.double({ min: 0.01, max: 1, noNaN: true })), {
          minLength: 1,
          maxLength: 12,
        }),
        (pairs) => {
          const opinions = pairs.map(([opinion]) => opinion)
          const weights = pairs.map(([, weight]) => weight)
          const middle = middleOf(opinions, weights)
          const room = 1e-9 * (1 + Math.max(...opinions))
          assert.ok(
            middle >= Math.min(...opinions) - room && middle <= Math.max(...opinions) + room,
          )
        },
      ),
    )
    assert.equal(middleOf([5, 5, 5], [1, 0.5, 0.1]), 5)
  })

  test('leaves a fifth of the weight out at either side', () => {
    // One of five equal weights is cut off below, one above: (2 + 3 + 4) / 3.
    assert.ok(Math.abs(middleOf([1, 3, 1e9, 2, 4], [1, 1, 1, 1, 1]) - 3) < 1e-9)
    // A heavy opinion stays alone.
    assert.ok(Math.abs(middleOf([1, 7, 1e9], [0.1, 1, 0.1]) - 7) < 1e-9)
  })
})

suite('weights of opinions', () => {
  test('are the square of the best loss over the own', () => {
    const [best, twice] = weightsOf([1e6, 2e6], 1e6, [0, 0])
    assert.equal(best, 1)
    assert.ok(twice !== undefined && Math.abs(twice - 0.25) < 0.02)
  })

  test('are those of the peers while there are no own losses', () => {
    const [best, twice] = weightsOf([0, 0], 0, [1, 2])
    assert.equal(best, 1)
    assert.ok(twice !== undefined && twice > 0.2 && twice < 0.3)
  })

  test('are equal where nobody ever erred', () => {
    assert.deepEqual(weightsOf([0, 0, 0], 5, [1, 2, 3]), [1, 1, 1])
  })
})

suite('counts of errors', () => {
  test('know quantiles and shares to a quarter of their value', () => {
    const counts = assumedErrors()
    const random = seededRandom(9)
    const errors = Array.from({ length: 3000 }, () => (random() - 0.4) * (random() + 0.2) * 10)
    for (const error of errors) addError(counts, error)
    errors.sort((a, b) => a - b)
    for (const share of [0.05, 0.1, 0.2, 0.8, 0.9, 0.95]) {
      const exact = errors[Math.floor(share * errors.length)] ?? 0
      const found = errorQuantile(counts, share)
      assert.ok(Math.abs(found - exact) <= 0.25 * Math.abs(exact) + 0.05, `${share}: ${found}`)
      assert.ok(Math.abs(shareAbove(counts, exact) - (1 - share)) < 0.03, `above ${exact}`)
    }
  })

  test('assume exponential tails before anything is seen', () => {
    const counts = assumedErrors()
    // A Laplace distribution of mean absolute value 1 has its 90 % quantile at ln 5.
    assert.ok(Math.abs(errorQuantile(counts, 0.9) - Math.log(5)) < 0.2)
    assert.ok(Math.abs(shareAbove(counts, 0) - 0.5) < 0.01)
  })

  test('forget: what is new shows, and numbers stay small', () => {
    const counts = assumedErrors()
    for (let index = 0; index < 20_000; index++) addError(counts, 1)
    for (let index = 0; index < 20_000; index++) addError(counts, -3)
    assert.ok(errorQuantile(counts, 0.8) < -2)
    assert.ok(counts.reduce((total, count) => total + count, 0) <= 4096)
  })

  test('hold errors of any size', () => {
    const counts = assumedErrors()
    for (const error of [1e300, -1e300, 0, -0, 1e-300]) addError(counts, error)
    assert.ok(
      Number.isFinite(errorQuantile(counts, 1)) && Number.isFinite(errorQuantile(counts, 0)),
    )
  })
})
