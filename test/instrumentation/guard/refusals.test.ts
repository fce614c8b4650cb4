import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FinalOutcome } from '../../../instrumentation/src/guard/credit/ask.ts'
import { refusalFor } from '../../../instrumentation/src/guard/refusals.ts'

const outcome = (
  unit: 'tokens' | 'picoUsd',
  [limit, spent, needed]: readonly [bigint, bigint, bigint],
): FinalOutcome & { type: 'refuse' } => ({
  type: 'refuse',
  why: 'exhausted',
  budget: 'b',
  account: { scope: '*', unit, limit, spent, needed },
})

for (const { unit, amounts, wanted } of [
  {
    unit: 'tokens',
    amounts: [10_000n, 9_950n, 120n],
    wanted: '9,950 of 10,000 tokens spent, 120 needed',
  },
  // 4.5 USD are left, but lent to other guards or held
  {
    unit: 'picoUsd',
    amounts: [5_000_000_000_000n, 500_000_000_000n, 20_000_000_000n],
    wanted: '$0.50 of $5.00 spent, $0.0200 needed, and what is left is spoken for',
  },
] as const) {
  test(`a refusal tells what was left and what was needed: ${wanted}`, () => {
    const { refusal, verdict } = refusalFor(outcome(unit, amounts), 'guard-1', 5)
    assert.equal(
      refusal.reason,
      `what is left of the budget does not suffice for this call: ${wanted}`,
    )
    assert.equal(verdict.refusal?.reason, refusal.reason)
    assert.equal(verdict.refusal?.needed, String(amounts[2]))
    assert.equal(verdict.decision, refusal.decisionId)
  })
}

test('a refusal without an account says so in its verdict, too', () => {
  const { verdict, refusedAtMs } = refusalFor(
    { type: 'refuse', why: 'stale', budget: 'b' },
    'guard-1',
    5,
  )
  assert.equal(verdict.refusal?.budget, 'b')
  assert.equal(verdict.refusal?.spent, null)
  assert.equal(refusedAtMs, 5)
})
