import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DimensionValues, policySchema } from '@tokenfuse/protocol'
import { EnforcedBudgets } from '../../../../instrumentation/src/guard/credit/enforced-budgets.ts'

const CALL: DimensionValues = {
  tenant: 'default',
  agent: 'searcher',
  task: 't-2',
  taskType: 'unknown',
  step: 'unknown',
  user: 'unknown',
  session: 'unknown',
  model: 'gpt-4o',
  provider: 'openai',
  service: 'unknown',
  tags: {},
  callers: [{ agent: 'planner', task: 't-1' }],
}

test('a call needs credit in its own scopes and, of nested budgets, in those of each that it is made for', () => {
  const budgets = new EnforcedBudgets()
  const limit = { calls: 1 }
  const more = { window: 'day', limit } as const
  const policy = policySchema.parse({
    version: 1,
    budgets: [
      { id: 'flat', per: ['agent'], ...more },
      { id: 'nested', per: ['agent'], nested: true, ...more },
      { id: 'planner', match: { agent: 'planner' }, nested: true, ...more },
      { id: 'all', nested: true, ...more },
      { id: 'watched', nested: true, mode: 'shadow', ...more },
      { id: 'unlimited', window: 'day' },
    ],
  })
  budgets.replace(policy.budgets)
  assert.deepEqual(
    budgets.claimedBy(CALL).map(({ budget, scope }) => `${budget.id} ${scope}`),
    ['flat agent=searcher', 'nested agent=searcher', 'nested agent=planner', 'planner *', 'all *'],
  )
})
