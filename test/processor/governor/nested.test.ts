import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller, UsageEvent } from '@tokenfuse/protocol'
import { usageEvent } from '../../support/usage-event.ts'
import { decided, Governing, iso } from './governing.ts'

const charge = { kind: 'output', part: 'message', model: 'm', unit: 'token', picoUsd: '0' } as const

function calling(
  governing: Governing,
  tokens: number,
  names: Partial<UsageEvent>,
  callers: Caller[] = [],
) {
  return governing.apply(
    usageEvent({
      time: iso(governing.nowMs),
      charges: [{ ...charge, quantity: tokens }],
      ...(callers.length > 0 && { callers }),
      ...names,
    }),
  )
}

const PLANNER = { agent: 'planner', task: 't-1' }
const SEARCHER = { agent: 'searcher', task: 't-2' }

test("sub-agents spend their parents' allowance: a fresh one for each is not to be had", () => {
  const governing = new Governing()
  const limit = { tokens: 1000 }
  governing.setPolicy({
    budgets: [{ id: 'agent', per: ['agent'], window: 'day', limit, nested: true }] as never,
  })
  calling(governing, 100, PLANNER)
  calling(governing, 300, SEARCHER, [PLANNER])
  const reader = { agent: 'reader', task: 't-3' }
  assert.deepEqual(decided(calling(governing, 600, reader, [PLANNER, SEARCHER])), [
    'block agent agent=planner',
    'warn agent agent=searcher',
  ])
  assert.deepEqual(governing.spent('agent'), {
    'agent=planner': '1000',
    'agent=searcher': '900',
    'agent=reader': '600',
  })
})

test('a budget that is not nested counts a call for its own agent alone', () => {
  const governing = new Governing()
  governing.setPolicy({
    budgets: [{ id: 'agent', per: ['agent'], window: 'day', limit: { tokens: 1000 } }] as never,
  })
  calling(governing, 300, SEARCHER, [PLANNER])
  assert.deepEqual(governing.spent('agent'), { 'agent=searcher': '300' })
})

test('a nested budget for one agent counts what others do for it, once for each call', () => {
  const governing = new Governing()
  governing.setPolicy({
    budgets: [
      { id: 'p', match: { agent: 'plan*' }, window: 'day', limit: { calls: 100 }, nested: true },
      { id: 'tasks', per: ['task'], window: 'lifetime', limit: { calls: 100 }, nested: true },
    ] as never,
  })
  calling(governing, 1, SEARCHER, [PLANNER])
  calling(governing, 1, { agent: 'planner-2', task: 't-1' }, [PLANNER])
  calling(governing, 1, SEARCHER)
  assert.deepEqual(governing.spent('p'), { '*': '2' })
  // The second call is of task t-1 for itself and for its caller: one call.
  assert.deepEqual(governing.spent('tasks'), { 'task=t-1': '2', 'task=t-2': '2' })
})
