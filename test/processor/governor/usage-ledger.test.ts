import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageEvent } from '@tokenfuse/protocol'
import fc from 'fast-check'
import { CallScopes } from '../../../processor/src/governor/call-scopes.ts'
import { UsageLedger } from '../../../processor/src/governor/usage-ledger.ts'
import { queryUsage } from '../../../processor/src/governor/usage-query.ts'
import { CallAmounts } from '../../../processor/src/governor/usage-sums.ts'
import { usageEvent } from '../../support/usage-event.ts'

const TODAY = '2026-01-05'

/** A ledger as the governor keeps it. */
function ledgerOf(maxRows?: number) {
  const call = new CallScopes()
  let order = 0
  const bound = maxRows === undefined ? {} : { maxRows }
  const ledger = new UsageLedger({ call, nextOrder: () => order++, ...bound })
  const amounts = new CallAmounts()
  const add = (event: UsageEvent, day = TODAY) => {
    call.load(event)
    amounts.load(event)
    ledger.add(event, amounts, day)
  }
  const ask = (by: ('agent' | 'task' | 'model' | 'user')[], scope = '*', period = 'all') => {
    const answer = queryUsage(ledger, { by, scope, period, top: 10_000 }, 0)
    assert.ok(answer)
    return answer
  }
  return { ledger, add, ask }
}

/** A call of so many tokens in and out, at one pico-USD each. */
function call(input: number, output: number, more: Partial<UsageEvent> = {}): UsageEvent {
  const charge = (kind: 'input' | 'output', quantity: number) =>
    ({
      kind,
      part: 'message',
      model: 'm',
      quantity,
      unit: 'token',
      picoUsd: String(quantity),
    }) as const
  return usageEvent({
    charges: [charge('input', input), charge('output', output)],
    costPicoUsd: String(input + output),
    ...more,
  })
}

test("a task's earlier usage stays when it calls again: everything adds, also over days and agents", () => {
  const { add, ask } = ledgerOf()
  add(call(100, 10, { task: 't-1' }))
  add(call(200, 20, { task: 't-1' }))
  add(call(1, 2, { task: 't-2' }))
  add(call(1000, 0, { task: 't-1' }), '2026-01-06')
  add(call(5, 5, { task: 't-1', agent: 'other' }))
  const tokens = (scope: string, period: string) => ask(['task'], scope, period).total.totalTokens
  assert.equal(tokens('task=t-1', TODAY), 340) // 110 + 220 + 10
  assert.equal(tokens('agent=writer,task=t-1', TODAY), 330)
  assert.equal(tokens('task=t-1', '2026-01-06'), 1000)
  assert.equal(tokens('task=t-1', 'all'), 1340)
  assert.equal(tokens('task=t-2', 'all'), 3)
})

test('usage is found under the names it was written with, whatever characters they have', () => {
  const { add, ask } = ledgerOf()
  const names = ['a,b', 'a=b', 'a%2Cb', 'a|b', 'constructor', '__proto__', ' ', 'ä\u{1F600}', '*']
  for (const [index, task] of names.entries()) add(call(index + 1, 0, { task }))
  const rows = ask(['task']).rows.map(({ values, totalTokens }) => [values.task, totalTokens])
  assert.deepEqual(new Map(rows as [string, number][]), new Map(names.map((n, at) => [n, at + 1])))
})

test('a call whose answer says nothing of its tokens counts as a call, with what it cost', () => {
  const { add, ask } = ledgerOf()
  add(call(0, 0, { charges: [], costPicoUsd: '7', source: 'estimate', priced: 'ceiling' }))
  const { calls, totalTokens, costPicoUsd, estimatedCalls, unpricedCalls } = ask(['agent']).total
  assert.deepEqual(
    { calls, totalTokens, costPicoUsd, estimatedCalls, unpricedCalls },
    { calls: 1, totalTokens: 0, costPicoUsd: '7', estimatedCalls: 1, unpricedCalls: 1 },
  )
})

test('costs beyond what a number holds stay exact to the pico-dollar', () => {
  const { add, ask } = ledgerOf()
  const huge = 123_456_789_012_345_678_901_234_567n
  const charges = [
    { kind: 'input', part: 'message', model: 'm', quantity: 1, unit: 'token' } as const,
  ].map((charge) => ({ ...charge, picoUsd: String(huge) }))
  for (let calls = 0; calls < 3; calls++) add(call(0, 0, { charges, costPicoUsd: String(huge) }))
  add(call(1, 1))
  assert.equal(ask(['agent']).total.costPicoUsd, String(huge * 3n + 2n))
})

const events = fc.array(
  fc.record({
    agent: fc.constantFrom('a', 'b', 'c'),
    task: fc.constantFrom('1', '2', '3', '4'),
    user: fc.constantFrom('u', 'v'),
    requestModel: fc.constantFrom('m', 'n'),
    step: fc.constantFrom(null, 1, 2),
    input: fc.integer({ min: 0, max: 100_000 }),
    output: fc.integer({ min: 0, max: 100_000 }),
    day: fc.constantFrom('2026-01-05', '2026-01-06'),
  }),
  { maxLength: 60 },
)

test('the sum of the children equals the parent, in every dimension and on every day', () => {
  fc.assert(
    fc.property(events, (made) => {
      const { ledger, add, ask } = ledgerOf()
      for (const { input, output, day, ...names } of made) add(call(input, output, names), day)
      const tokens = made.reduce((sum, { input, output }) => sum + input + output, 0)
      assert.equal(ledger.total().totalTokens, tokens)
      const totals = { calls: made.length, tokens, cost: String(tokens) }
      for (const by of [['agent'], ['task'], ['user'], ['model'], ['agent', 'task']] as const) {
        const { total, rows } = ask([...by])
        const of = { calls: total.calls, tokens: total.totalTokens, cost: total.costPicoUsd }
        assert.deepEqual(of, totals, by.join())
        assert.equal(
          rows.reduce((sum, row) => sum + row.totalTokens, 0),
          tokens,
        )
      }
      for (const agent of ['a', 'b', 'c']) {
        const own = ask(['agent'], `agent=${agent}`).total
        const ofTasks = ask(['task'], `agent=${agent}`).rows
        assert.equal(
          ofTasks.reduce((sum, row) => sum + row.totalTokens, 0),
          own.totalTokens,
        )
      }
    }),
    { numRuns: 60 },
  )
})

test('with more tasks than there is room for the oldest are told together: nothing is lost, and it is counted', () => {
  const room = 500
  const tasks = 20_000
  const { ledger, add, ask } = ledgerOf(room)
  for (let task = 0; task < tasks; task++) add(call(task, 1, { task: `t-${task}`, user: 'u' }))
  const { rows, total } = ask(['task'])
  assert.equal(rows.length, room + 1)
  assert.equal(ledger.evicted, tasks - room)
  const sum = (tasks * (tasks - 1)) / 2 + tasks // 0 + 1 + … + 19,999, and one each out
  assert.equal(total.totalTokens, sum)
  assert.equal(ledger.total().totalTokens, sum)
  const others = rows.find(({ values }) => values.task === '(others)')
  assert.equal(others?.calls, tasks - room)
  // The newest are still there by name, with what they used.
  assert.equal(ask(['task'], 'task=t-19999').total.totalTokens, 20_000)
})
