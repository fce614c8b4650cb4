import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Decision, DimensionValues, StreamBudget } from '@tokenfuse/protocol'
import { budgetSchema, DecisionBook } from '@tokenfuse/protocol'
import { decision } from '../support/preload/decision.ts'

const CALL: DimensionValues = {
  tenant: 'default',
  agent: 'writer',
  task: 't,1=%|',
  taskType: 'unknown',
  step: 'unknown',
  user: 'unknown',
  session: 'unknown',
  model: 'gpt-4o',
  provider: 'openai',
  service: 'unknown',
  tags: { team: 'blue' },
}

function book(...decisions: Decision[]): DecisionBook {
  const made = new DecisionBook()
  made.apply({ type: 'decisions', decisions }, 0)
  return made
}

test('a decision holds for the calls of its scope, and for no other', () => {
  const cases: [scope: string, holds: boolean][] = [
    ['*', true],
    ['agent=writer', true],
    ['agent=reader', false],
    ['agent=writer,task=t%2C1%3D%25%7C', true],
    ['task=t', false],
    ['tag.team=blue', true],
    ['tag.team=red', false],
    ['tag.other=unknown', true],
  ]
  for (const [scope, holds] of cases) {
    assert.equal(book(decision({ scope })).find(CALL, 0) !== null, holds, scope)
  }
  assert.equal(book(decision({ tenant: 'other' })).find(CALL, 0), null)
  assert.equal(book(decision({ mode: 'shadow' })).find(CALL, 0), null)
})

test('of several decisions the one that goes furthest is followed', () => {
  const found = book(
    decision({ id: 'w', scope: 'agent=writer', action: 'warn' }),
    decision({ id: 'b', budget: 'x', action: 'block' }),
    decision({ id: 't', budget: 'y', action: 'throttle' }),
  ).find(CALL, 0)
  assert.equal(found?.id, 'b')
})

test('a newer decision replaces that of the same key, and allow ends it', () => {
  const made = book(decision({ id: 'old' }))
  made.apply({ type: 'decision', decision: decision({ id: 'new', action: 'warn' }) }, 0)
  assert.equal(made.find(CALL, 0)?.id, 'new')
  made.apply({ type: 'decision', decision: decision({ action: 'allow' }) }, 0)
  assert.equal(made.find(CALL, 0), null)
})

test('a new beginning of the stream forgets what is not in it', () => {
  const made = book(decision())
  made.apply({ type: 'decisions', decisions: [] }, 0)
  assert.equal(made.find(CALL, 0), null)
})

test('a decision ends after as long as the governor meant it, whatever this machine thinks the time is', () => {
  const made = book()
  made.apply({ type: 'decision', decision: decision() }, 5_000)
  assert.ok(made.find(CALL, 5_000 + 59_999))
  assert.equal(made.find(CALL, 5_000 + 60_000), null)
  made.apply({ type: 'decision', decision: decision({ until: null }) }, 5_000)
  assert.ok(made.find(CALL, Number.MAX_SAFE_INTEGER))
})

test('a scope does not name which calls its budget is for: the policy does', () => {
  const made = book(decision({ budget: 'drafts', scope: 'task=t%2C1%3D%25%7C' }))
  const budget = (agent: string): StreamBudget =>
    budgetSchema.parse({ id: 'drafts', match: { agent }, per: ['task'], window: 'lifetime' })
  made.apply({ type: 'policy', version: 1, budgets: [budget('read*')] }, 0)
  assert.equal(made.find(CALL, 0), null)
  made.apply({ type: 'policy', version: 2, budgets: [budget('writ*')] }, 0)
  assert.ok(made.find(CALL, 0))
})

test('there is an end to how many decisions are kept, and what finds no room is counted', () => {
  const many = Array.from({ length: 10_050 }, (_, n) => decision({ scope: `task=t-${n}` }))
  const made = book(...many)
  assert.equal(made.overflowCount, 50)
  assert.ok(made.find({ ...CALL, task: 't-9999' }, 0))
  assert.equal(made.find({ ...CALL, task: 't-10001' }, 0), null)
})

test('a decision on a nested budget holds for those who work for its scope, one on another budget does not', () => {
  const values = { ...CALL, callers: [{ agent: 'planner', task: 't-9' }] }
  const budget = { id: 'b', per: ['agent'], window: 'day', limit: { tokens: 1 } }
  for (const nested of [true, false]) {
    const made = book(decision({ scope: 'agent=planner', budget: 'b' }))
    const budgets = [budgetSchema.parse({ ...budget, nested })]
    made.apply({ type: 'policy', version: 1, budgets }, 0)
    assert.equal(made.find(values, 0) !== null, nested)
    assert.equal(made.find(CALL, 0), null)
  }
})

test('decisions of different rules on one scope stand beside each other, and end one by one', () => {
  const made = book(
    decision({ id: 'd-1', rule: 'runaway.bloat', action: 'kill' }),
    decision({ id: 'd-2', rule: 'runaway.repetition', action: 'warn' }),
  )
  assert.equal(made.find(CALL, 0)?.id, 'd-1')
  const ended = decision({ id: 'd-3', rule: 'runaway.bloat', action: 'allow' })
  made.apply({ type: 'decision', decision: ended }, 0)
  assert.equal(made.find(CALL, 0)?.id, 'd-2')
})
