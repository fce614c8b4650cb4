import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskEnd } from '@tokenfuse/protocol'
import { Governor } from '../../../processor/src/governor/governor.ts'
import { TaskEnds } from '../../../processor/src/governor/task-ends.ts'
import { taskCosts } from '../../../processor/src/governor/task-costs.ts'
import { usageEvent } from '../../support/usage-event.ts'
import { applyChanges, DAY_MS, Governing, iso } from './governing.ts'

/** A call that costs so many pico-USD, one token each. */
function calling(governing: Governing, task: string, cost: number, agent = 'writer') {
  const charge = { kind: 'output', part: 'message', model: 'm', unit: 'token' } as const
  governing.apply(
    usageEvent({
      time: iso(governing.nowMs),
      agent,
      task,
      charges: [{ ...charge, quantity: cost, picoUsd: String(cost) }],
      costPicoUsd: String(cost),
    }),
  )
}

const end = (task: string, more: Partial<TaskEnd> = {}): TaskEnd => ({
  type: 'task.end',
  v: 1,
  tenant: 'default',
  task,
  agent: 'writer',
  taskType: 'draft',
  outcome: 'completed',
  time: '2026-01-05T12:00:00.000Z',
  ...more,
})

const rowsOf = ({ governor }: Governing, by: 'agent' | 'taskType' = 'taskType') =>
  governor.taskCosts([by], 10).rows

test("a completed task costs what all its calls did, also its sub-agents', on other days, and those told after its end", () => {
  const governing = new Governing()
  calling(governing, 't-1', 100)
  calling(governing, 't-1', 30, 'searcher')
  governing.nowMs += DAY_MS
  calling(governing, 't-1', 7)
  calling(governing, 't-2', 50)
  governing.apply(end('t-1'))
  calling(governing, 't-1', 3)
  governing.apply(end('t-2', { outcome: 'failed' }))
  calling(governing, 't-3', 1000)
  assert.deepEqual(rowsOf(governing), [
    {
      values: { taskType: 'draft' },
      completed: 1,
      failed: 1,
      cancelled: 0,
      completedCostPicoUsd: '140',
      otherCostPicoUsd: '50',
      costPerCompletedPicoUsd: '140',
      tokensPerCompleted: 140,
    },
  ])
})

test('each type and agent has its own figures, the dearest first; without a completed task there is no cost of one', () => {
  const governing = new Governing()
  for (const [task, cost] of [
    ['a', 10],
    ['b', 21],
    ['c', 500],
  ] as const) {
    calling(governing, task, cost)
  }
  governing.apply(end('a'))
  governing.apply(end('b'))
  governing.apply(end('c', { taskType: null, agent: 'planner', outcome: 'cancelled' }))
  const figures = rowsOf(governing).map((row) => [row.values.taskType, row.costPerCompletedPicoUsd])
  assert.deepEqual(figures, [
    ['unknown', null],
    ['draft', '15'], // 31 of two
  ])
  assert.deepEqual(
    rowsOf(governing, 'agent').map((row) => [row.values.agent, row.completed, row.cancelled]),
    [
      ['planner', 0, 1],
      ['writer', 2, 0],
    ],
  )
})

test('a task ends once: that its end is told again, or told otherwise, changes nothing', () => {
  const governing = new Governing()
  calling(governing, 't-1', 100)
  governing.apply(end('t-1'))
  const before = rowsOf(governing)
  governing.apply(end('t-1'))
  governing.apply(end('t-1', { outcome: 'failed', agent: 'other' }))
  assert.deepEqual(rowsOf(governing), before)
})

test('restored from a snapshot it tells the same, and late calls still add', () => {
  const governing = new Governing()
  calling(governing, 't-1', 100)
  governing.apply(end('t-1'))
  governing.governor = Governor.restore(applyChanges(new Map(), governing.governor))
  calling(governing, 't-1', 5)
  assert.equal(rowsOf(governing)[0]?.completedCostPicoUsd, '105')
})

test('of very many tasks the oldest are settled together, so that state is bounded and no cost is lost', () => {
  let order = 0
  const ends = new TaskEnds({
    nextOrder: () => order++,
    usageOf: (task) => ({ calls: 1, tokens: Number(task), cost: Number(task) }),
    maxEnded: 10,
    maxCosts: 5,
  })
  const tasks = 1000
  for (let task = 0; task < tasks; task++) {
    ends.end(end(String(task), { taskType: `type-${task % 50}` }))
  }
  const [all] = taskCosts(ends, [], 10, 0).rows
  assert.equal(all?.completed, tasks)
  assert.equal(all?.completedCostPicoUsd, String((tasks * (tasks - 1)) / 2))
  assert.ok(ends.takeChanges().filter(({ value }) => value !== null).length <= 10 + 5 + 1)
  assert.ok(ends.evicted > 0)
})
