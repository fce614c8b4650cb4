import assert from 'node:assert/strict'
import test from 'node:test'
import { parsePolicy } from '@tokenfuse/protocol'
import {
  withBudget,
  withBudgetFields,
  withoutBudget,
} from '../../../processor/src/policy/edit-policy.ts'

const FILE = `# our limits
version: 1
timezone: Europe/Berlin # where the team is
budgets:
  # the agents that customers talk to
  - id: support
    window: day # resets at midnight
    limit: { tokens: 500000 }
  - id: all
    window: month
    limit:
      usd: "150"
`

test('a budget is added behind the others and every comment stays', () => {
  const text = withBudget(FILE, { id: 'new', window: 'lifetime', limit: { usd: '5' } })
  assert.ok(text.startsWith(FILE.trimEnd()), text)
  const { budgets } = parsePolicy(text, 'tokenfuse.yaml')
  assert.deepEqual(
    budgets.map(({ id }) => id),
    ['support', 'all', 'new'],
  )
})

test('a budget of the same name is replaced in its place, with the comment before it', () => {
  const text = withBudget(FILE, { id: 'support', window: 'hour', limit: { tokens: 7 } })
  assert.match(text, /# the agents that customers talk to\n {2}- id: support\n {4}window: hour/)
  const { budgets } = parsePolicy(text, 'tokenfuse.yaml')
  assert.deepEqual(budgets[0]?.limit, { tokens: 7 })
  assert.equal(budgets.length, 2)
})

test('of a budget that is changed, what is not named stays, comments included', () => {
  const text = withBudgetFields(FILE, { id: 'support', limit: { usd: '7' }, warnAt: 0.5 })
  assert.equal(
    text,
    FILE.replace('limit: { tokens: 500000 }', 'limit:\n      usd: "7"\n    warnAt: 0.5'),
  )
})

test('a removed budget takes nothing else with it', () => {
  const { budgets, timezone } = parsePolicy(withoutBudget(FILE, 'support'), 'tokenfuse.yaml')
  assert.deepEqual(
    budgets.map(({ id }) => id),
    ['all'],
  )
  assert.equal(timezone, 'Europe/Berlin')
})

test('the last budget can go and the first can come', () => {
  const none = withoutBudget('version: 1\nbudgets:\n  - id: a\n    window: day\n', 'a')
  assert.deepEqual(parsePolicy(none, 'x').budgets, [])
  const again = withBudget(none, { id: 'b', window: 'day' })
  assert.equal(parsePolicy(again, 'x').budgets[0]?.id, 'b')
  const fromNothing = withBudget('', { id: 'c', window: 'day' })
  assert.equal(parsePolicy(fromNothing, 'x').budgets[0]?.id, 'c')
})

test('removing what is not there is an error that says so', () => {
  assert.throws(() => withoutBudget(FILE, 'nope'), { code: 'not_found' })
})
