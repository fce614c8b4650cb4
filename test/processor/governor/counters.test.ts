import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Budget, policySchema } from '@tokenfuse/protocol'
import { activatePolicy } from '../../../processor/src/governor/budgets.ts'
import { CallScopes } from '../../../processor/src/governor/call-scopes.ts'
import { Counters } from '../../../processor/src/governor/counters.ts'
import { NOON_MS, policySet } from './governing.ts'

const MAX_COUNTERS = 200

function countersOf(budgets: unknown[]) {
  let order = 0
  const counters = new Counters({
    nextOrder: () => order++,
    addedTo: () => 0,
    maxCounters: MAX_COUNTERS,
  })
  const policy = policySchema.parse({ version: 1, budgets })
  const event = policySet(policy, null, NOON_MS)
  assert.ok(event.type === 'policy.set')
  const active = activatePolicy(event, 1, new Map(), new CallScopes())
  const count = (id: Budget['id'], scope: string, amount: number) => {
    const budget = active.byId.get(id)
    assert.ok(budget)
    const counter = counters.forScope(budget, scope, NOON_MS, event.zone)
    counter.count(amount, null)
    return counter
  }
  return { counters, count }
}

test('a flood of tasks crowds out tasks, counted, and never what the agent or everything has spent', () => {
  const { counters, count } = countersOf([
    { id: 'all', window: 'month', limit: { tokens: 1000 } },
    { id: 'agent', per: ['agent'], window: 'day', limit: { tokens: 1000 } },
    { id: 'task', per: ['task'], window: 'lifetime', limit: { tokens: 1000 } },
  ])
  const kept = [
    count('all', '*', 900),
    count('agent', 'agent=a', 800),
    count('agent', 'agent=b', 7),
  ]
  const tasks = 5000
  for (let task = 0; task < tasks; task++) count('task', `task=${task}`, 1)
  assert.equal(counters.size, MAX_COUNTERS)
  assert.equal(counters.evicted, tasks + kept.length - MAX_COUNTERS)
  for (const counter of kept) assert.ok(!counter.isGone)
  assert.equal(count('all', '*', 1).spent, 901)
  assert.equal(count('task', `task=${tasks - 1}`, 1).spent, 2)
})

test('a counter on which a guard has an account stays, so that no credit is forgotten', () => {
  const { counters, count } = countersOf([
    { id: 'task', per: ['task'], window: 'lifetime', limit: { tokens: 1000 } },
  ])
  const lent = count('task', 'task=lent', 5)
  counters.openAccount(lent, 'guard-0001').lent = 10
  for (let task = 0; task < 1000; task++) count('task', `task=${task}`, 1)
  assert.ok(!lent.isGone)
  assert.equal(counters.size, MAX_COUNTERS)
})
