import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  compileCondition,
  fillMessage,
  isConditionProblem,
  RULE_VARIABLES,
} from '@tokenfuse/protocol'
import fc from 'fast-check'
import { FUZZ_MS } from '../../../support/fuzz.ts'

function compiled(text: string) {
  const condition = compileCondition(text)
  assert.ok(!isConditionProblem(condition), JSON.stringify(condition))
  return condition
}

test('figures mix with whole numbers and fractions, and names with texts', () => {
  const values = { daily_tokens: 90, daily_limit: 100, daily_usd: 0.5, agent: 'support', task: '' }
  const cases: [condition: string, holds: boolean][] = [
    ['daily_tokens > daily_limit * 0.9', false],
    ['daily_tokens >= daily_limit * 0.9', true],
    ['daily_tokens * 2 > daily_limit', true],
    // 90 / 100 is 0.9, not 0 as of whole numbers
    ['daily_tokens / daily_limit > 0.8', true],
    ['daily_usd > 1', false],
    ['daily_tokens > 1000 || daily_usd >= 0.5', true],
    ['!(daily_tokens > 1)', false],
    ['daily_tokens > (daily_usd < 1 ? 80 : 100)', true],
    ['agent == "support" && daily_tokens > 1', true],
    ['agent in ["sales", "ops"] && daily_tokens > 1', false],
    ['agent.startsWith("sup") && daily_tokens > 1', true],
  ]
  for (const [text, holds] of cases) assert.equal(compiled(text).holds(values), holds, text)
})

test('a condition is for each of the narrowest thing that it asks about', () => {
  assert.equal(compiled('daily_tokens > daily_limit').level, 'all')
  assert.equal(compiled('daily_tokens > 1 && agent == "a"').level, 'agent')
  assert.equal(compiled('agent_hourly_tokens > 1 || task == "t"').level, 'task')
})

test('every variable can be asked, and has an explanation', () => {
  for (const { kind, name, help } of RULE_VARIABLES.values()) {
    assert.ok(help.length > 10, name)
    const question = kind === 'name' ? `${name} == "x"` : `${name} > 5`
    compiled(`${question} && daily_tokens > 1`)
  }
})

test('a message is filled with what its condition names', () => {
  const condition = compiled('agent_hourly_tokens > agent_hourly_limit * 2')
  const facts = {
    agent: 'support',
    task: null,
    figures: { agent_hourly_tokens: 2500, agent_hourly_limit: 1000 },
  }
  const text = '{name}: {used}/{limit}, {hourly_used}/hr, {overshoot}%, {agent_hourly_limit} {what}'
  // 2500 of 1000 is 150 % over it.
  assert.equal(
    fillMessage(text, condition, facts),
    'support: 2500/1000, 2500/hr, 150%, 1000 {what}',
  )
  const money = compiled('daily_usd > daily_usd_limit')
  const spent = { agent: null, task: null, figures: { daily_usd: 12.5, daily_usd_limit: 0.0123 } }
  assert.equal(fillMessage('{used} of {limit}', money, spent), '$12.50 of $0.0123')
  const projected = compiled('projected_daily_tokens > daily_limit * 0.9')
  const below = {
    agent: null,
    task: null,
    figures: { projected_daily_tokens: 95, daily_limit: 100 },
  }
  assert.equal(fillMessage('by {overshoot}%', projected, below), 'by 0%')
})

test('no text makes the reader of conditions fail, or point outside of it', () => {
  const word = fc.constantFrom(
    ...[
      'daily_tokens',
      'agent',
      '>',
      '&&',
      '(',
      ')',
      '"',
      '0.9',
      '1',
      '*',
      '[',
      ']',
      '?',
      ':',
      '{',
    ],
    ...['.startsWith(', 'x', '\n', '\\', "b'", 'u', 'null', '-', '!', '__proto__', 'dyn('],
  )
  const anything = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(word, { maxLength: 20 }).map((words) => words.join(' ')),
  )
  fc.assert(
    fc.property(anything, (text) => {
      const result = compileCondition(text)
      if (isConditionProblem(result)) assert.ok(result.at >= 0 && result.at <= text.length)
      else assert.equal(typeof result.holds({ daily_tokens: 1, agent: 'a', task: '' }), 'boolean')
    }),
    { interruptAfterTimeLimit: FUZZ_MS, numRuns: 20_000 },
  )
})
