import assert from 'node:assert/strict'
import { test } from 'node:test'
import { budgetLimit, parseAmount, parseShortBudget, policySchema } from '@tokenfuse/protocol'

test('an amount is read in the unit in which it is written', () => {
  const rows: [text: string, amount: object][] = [
    ['5usd', { usd: '5' }],
    ['$0.50', { usd: '0.50' }],
    ['200ktok', { tokens: 200_000 }],
    ['2.5Mtokens', { tokens: 2_500_000 }],
    ['100calls', { calls: 100 }],
    ['1call', { calls: 1 }],
    ['2k calls', { calls: 2000 }],
    ['20steps', { steps: 20 }],
    ['1 step', { steps: 1 }],
  ]
  for (const [text, amount] of rows) assert.deepEqual(parseAmount(text), amount, text)
})

test('what is no whole amount of a known unit is refused with what to write instead', () => {
  for (const text of ['5', 'calls', '0calls', '1.5calls', '-1steps', '5 eur', '1e3tok', '']) {
    assert.throws(() => parseAmount(text), { code: 'bad_request' }, text)
  }
})

test('a short form names a limit, a window and what gets a counter each', () => {
  assert.deepEqual(parseShortBudget('100calls/user/day'), {
    limit: { calls: 100 },
    window: 'day',
    per: ['user'],
  })
  assert.deepEqual(parseShortBudget('5usd/24h/agent'), {
    limit: { usd: '5' },
    window: 'rolling 24h',
    per: ['agent'],
  })
  assert.deepEqual(parseShortBudget('20steps/task'), {
    limit: { steps: 20 },
    window: 'lifetime',
    per: ['task'],
  })
})

test('each limit is counted in its own unit, USD exactly in pico-USD', () => {
  const limits = [
    [{ tokens: 3 }, { unit: 'tokens', amount: 3n }],
    [{ inputTokens: 3 }, { unit: 'inputTokens', amount: 3n }],
    [{ outputTokens: 3 }, { unit: 'outputTokens', amount: 3n }],
    [{ calls: 3 }, { unit: 'calls', amount: 3n }],
    [{ steps: 3 }, { unit: 'steps', amount: 3n }],
    [{ usd: '0.000000000003' }, { unit: 'picoUsd', amount: 3n }],
  ] as const
  for (const [limit, expected] of limits) {
    const { budgets } = policySchema.parse({
      version: 1,
      budgets: [{ id: 'b', window: 'day', limit }],
    })
    assert.deepEqual(budgets[0] && budgetLimit(budgets[0]), expected)
  }
})
