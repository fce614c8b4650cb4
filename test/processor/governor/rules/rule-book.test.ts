import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallScopes } from '../../../../processor/src/governor/call-scopes.ts'
import { RuleBook } from '../../../../processor/src/governor/rules/rule-book.ts'
import { CallAmounts } from '../../../../processor/src/governor/usage-sums.ts'
import { callOf, MONDAY_MS } from '../support/governed.ts'
import { rule } from './ruled.ts'

const UTC = { name: 'UTC', offsets: [{ fromMs: 0, offsetMs: 0 }] }

test('of endless tasks those called last are kept, the others are counted, and one that is seen again begins anew', () => {
  const book = new RuleBook(10)
  const call = new CallScopes()
  const amounts = new CallAmounts()
  book.activate([rule({ condition: 'agent_tokens_per_task > 5' })], call, UTC)
  const [level] = book.active.levels
  assert.ok(level)
  const count = (task: string) => {
    const event = callOf(MONDAY_MS, 3, { agent: 'a', task })
    call.load(event)
    amounts.load(event)
    return book.count(level, call, amounts, { timeMs: MONDAY_MS, logTimeMs: MONDAY_MS })
  }
  count('first')
  for (let task = 0; task < 1000; task++) {
    count('busy')
    count(`t-${task}`)
  }
  // 1002 tasks, of which ten are left.
  assert.equal(book.evicted, 992)
  assert.equal(count('busy').counts.task?.tokens, 3003)
  assert.equal(count('first').counts.task?.tokens, 3)
})

test('only what some rule asks for is counted', () => {
  const book = new RuleBook()
  const levels = (condition: string) => {
    book.activate([rule({ condition })], new CallScopes(), UTC)
    return book.active.levels.map(({ level, windows }) => `${level}: ${windows.join()}`)
  }
  assert.deepEqual(levels('daily_tokens > 1'), ['all: day'])
  assert.deepEqual(levels('agent_hourly_usd > 1 && daily_usd > 2'), ['all: day', 'agent: hour'])
  assert.deepEqual(levels('agent_tokens_per_task > agent_daily_tokens * 0.5'), [
    'agent: day',
    'task: task',
  ])
})
