import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  assertSameRecords,
  callOf,
  DAY_MS,
  Governed,
  HOUR_MS,
  MINUTE_MS,
  MONDAY_MS,
} from '../support/governed.ts'
import { decided, LIMITS, rule, setRules, told } from './ruled.ts'

test('the four shipped rules are inactive, and say why, until their limits are set', () => {
  const governed = new Governed()
  setRules(governed, [])
  const reasons = governed.governor.ruleStatuses().map(({ name, inactive }) => [name, inactive])
  assert.deepEqual(reasons, [
    [
      'daily_budget_exceeded',
      'daily_limit is not set: there is no budget in tokens with window: day and no per and no match',
    ],
    [
      'agent_spike',
      'agent_hourly_limit is not set: there is no budget in tokens with window: hour and per: [agent]',
    ],
    [
      'runaway_detected',
      'task_limit is not set: there is no budget in tokens with window: lifetime and per: [task] or [agent, task]',
    ],
    [
      'budget_forecast',
      'daily_limit is not set: there is no budget in tokens with window: day and no per and no match',
    ],
  ])
  governed.use(MONDAY_MS, 1_000_000)
  assert.deepEqual(decided(governed.effects), [])
  setRules(governed, LIMITS)
  assert.deepEqual(
    governed.governor.ruleStatuses().map(({ inactive }) => inactive),
    [null, null, null, 'projected_daily_tokens is not known yet: insufficient history'],
  )
})

test('a rule holds from the call that passes its limit on, and is told of once', () => {
  const governed = new Governed()
  setRules(governed, LIMITS)
  const at = MONDAY_MS + HOUR_MS
  // 3 x 10 tokens for the task are not more than three times its limit, 31 are.
  assert.deepEqual(decided(governed.use(at, 30, { agent: 'a', task: 't' })), [])
  const passed = governed.use(at, 1, { agent: 'a', task: 't' })
  assert.deepEqual(decided(passed), ['runaway_detected kill agent=a,task=t'])
  assert.deepEqual(told(passed), ['Agent a may be looping: 31 tokens/task'])
  assert.deepEqual(decided(governed.use(at, 1, { agent: 'a', task: 't' })), [])
  // Another agent at the same task, and another task, count for themselves.
  assert.deepEqual(decided(governed.use(at, 30, { agent: 'b', task: 't' })), [])
  assert.deepEqual(decided(governed.use(at, 30, { agent: 'a', task: 'u' })), [])
  // 92 tokens in this hour by now, of which 62 are of a.
  assert.deepEqual(decided(governed.use(at, 139, { agent: 'a', task: 'v' })), [
    'agent_spike warn agent=a',
    'runaway_detected kill agent=a,task=v',
  ])
  assert.deepEqual(told(governed.effects).length, 3)
  assert.equal(told(governed.effects)[1], 'Agent a token usage spiked: 201/hr')
})

test('the decision of a rule says what it saw, and until when it holds', () => {
  const governed = new Governed()
  setRules(governed, LIMITS)
  governed.use(MONDAY_MS + HOUR_MS, 1001, { agent: 'a', task: 'unknown' })
  const found = governed.governor.decisions().find((each) => each.rule === 'daily_budget_exceeded')
  assert.ok(found)
  const { id, version, reason, action, scope, budget, inputs, parameters, until } = found
  assert.equal(reason, 'Daily token budget exceeded: 1001/1000')
  assert.match(id, new RegExp(`^d${version}-\\d+$`))
  assert.deepEqual([action, scope, budget], ['pause', '*', null])
  assert.deepEqual(inputs, {
    unit: 'tokens',
    spent: '1001',
    limit: '1000',
    outstanding: null,
    forecast: null,
    policyVersion: 1,
  })
  assert.deepEqual(parameters, {
    ruleAction: 'pause_all_noncritical_agents',
    severity: 'P1',
    condition: 'daily_tokens > daily_limit',
    exceptCriticality: 'critical',
    daily_limit: '1000',
    daily_tokens: '1001',
  })
  assert.equal(until, '2026-06-02T00:00:00.000Z')
  assert.deepEqual(governed.governor.decision(id), found)
})

test('a rule over a day ends with the day, and holds again when the next is over its limit', () => {
  const governed = new Governed()
  setRules(governed, LIMITS, [rule({ condition: 'daily_tokens > daily_limit' })])
  governed.use(MONDAY_MS + 5 * HOUR_MS, 1001)
  assert.equal(governed.governor.decisions().filter((each) => each.rule).length, 1)
  governed.tickTo(MONDAY_MS + DAY_MS - 1)
  assert.equal(governed.governor.decisions().filter((each) => each.rule).length, 1)
  governed.tickTo(MONDAY_MS + DAY_MS)
  assert.equal(governed.governor.decisions().filter((each) => each.rule).length, 0)
  assert.deepEqual(decided(governed.use(MONDAY_MS + DAY_MS, 1000)), [])
  assert.deepEqual(decided(governed.use(MONDAY_MS + DAY_MS, 1)), ['one warn *'])
  assert.equal(told(governed.effects).length, 2)
})

test('a condition that comes and goes within its window is one alarm', () => {
  const governed = new Governed()
  // Holds while most of the day was used in this hour.
  const wobbling = rule({ condition: 'hourly_tokens > 50 && daily_calls < 4 || daily_calls > 5' })
  setRules(governed, [], [wobbling])
  const at = MONDAY_MS + HOUR_MS
  assert.deepEqual(decided(governed.use(at, 60)), ['one warn *'])
  governed.use(at, 1)
  governed.use(at, 1)
  // The fourth and fifth call clear it, the sixth is in time.
  governed.use(at, 1)
  governed.use(at + MINUTE_MS, 1)
  governed.tickTo(at + 4 * MINUTE_MS)
  assert.deepEqual(decided(governed.use(at + 4 * MINUTE_MS, 1)), [])
  governed.tickTo(at + 10 * MINUTE_MS)
  assert.equal(governed.governor.ruleStatuses()[0]?.holding, 1)
  assert.equal(told(governed.effects).length, 1)
})

test('a condition that does not hold any more ends five minutes later', () => {
  const governed = new Governed()
  setRules(governed, [], [rule({ condition: 'daily_tokens > 50 && daily_calls < 2' })])
  const at = MONDAY_MS + HOUR_MS
  governed.use(at, 60)
  governed.use(at, 60)
  governed.tickTo(at + 5 * MINUTE_MS - 1)
  assert.equal(governed.governor.ruleStatuses()[0]?.holding, 1)
  governed.tickTo(at + 5 * MINUTE_MS)
  assert.equal(governed.governor.ruleStatuses()[0]?.holding, 0)
  const ended = governed.effects.findLast(({ type }) => type === 'decision')
  assert.ok(ended?.type === 'decision')
  assert.match(ended.decision.reason, /rule one holds no longer: its condition does not hold/)
})

test('a raised limit, an override and a changed rule end at once what does not hold by them', () => {
  const raised = LIMITS?.map((budget) => ({ ...budget, limit: { tokens: 5000 } }))
  const ways: [name: string, change: (governed: Governed) => unknown][] = [
    ['a raised limit', (governed) => setRules(governed, raised)],
    ['no limit', (governed) => setRules(governed, [])],
    ['other rules', (governed) => setRules(governed, LIMITS, [rule({})])],
    [
      'an override',
      (governed) =>
        governed.apply(
          {
            type: 'override.set',
            v: 1,
            tenant: 'default',
            id: 'o',
            budget: 'daily',
            scope: '*',
            add: '1',
            reason: 'r',
            by: 'b',
            until: null,
          },
          MONDAY_MS + HOUR_MS,
        ),
    ],
  ]
  for (const [name, change] of ways) {
    const governed = new Governed()
    setRules(governed, LIMITS)
    governed.use(MONDAY_MS + HOUR_MS, 1001, { agent: 'a', task: 'unknown' })
    const holding = () =>
      governed.governor.decisions().filter((each) => each.rule === 'daily_budget_exceeded').length
    assert.equal(holding(), 1)
    change(governed)
    assert.equal(holding(), 0, name)
  }
})

test('of several budgets that fit, the lowest is the limit; one that counts something else is none', () => {
  const budget = (id: string, more: object) => ({
    id,
    window: 'hour' as const,
    mode: 'shadow' as const,
    ...more,
  })
  const budgets = [
    budget('all', { limit: { tokens: 1 } }),
    budget('user', { per: ['user'], limit: { tokens: 1 } }),
    budget('model', { per: ['agent'], match: { model: '*' }, limit: { tokens: 1 } }),
    budget('money', { per: ['agent'], limit: { usd: '0.000001' } }),
    budget('each', { per: ['agent'], limit: { tokens: 100 } }),
    budget('b', { per: ['agent'], match: { agent: 'b*' }, limit: { tokens: 20 } }),
    budget('bob', { match: { agent: 'bob' }, limit: { tokens: 10 } }),
    budget('group', { match: { agent: 'b*' }, limit: { tokens: 5 } }),
  ]
  const over = rule({ condition: 'agent_hourly_tokens > agent_hourly_limit' })
  const limits = { alice: 100, bea: 20, bob: 10 }
  for (const [agent, limit] of Object.entries(limits)) {
    const governed = new Governed()
    setRules(governed, budgets, [over])
    assert.deepEqual(decided(governed.use(MONDAY_MS, limit, { agent })), [], agent)
    assert.deepEqual(decided(governed.use(MONDAY_MS, 1, { agent })), [`one warn agent=${agent}`])
  }
})

test('the same log gives the same decisions of rules, byte for byte, from a snapshot anywhere', () => {
  const calls = Array.from({ length: 60 }, (_, index) => {
    const at = MONDAY_MS + index * 40 * MINUTE_MS
    const agent = `a${index % 3}`
    return callOf(at, (index * 7919) % 120, { agent, task: `t${index % 7}` })
  })
  const run = (restartAt: number | null) => {
    const governed = new Governed()
    setRules(governed, LIMITS)
    for (const [index, call] of calls.entries()) {
      const at = Date.parse(call.time)
      governed.tickTo(at)
      governed.apply(call, at)
      if (index === restartAt) governed.restart()
    }
    return governed
  }
  const straight = run(null)
  assert.ok(decided(straight.effects).length > 10)
  for (const restartAt of [0, 7, 23, 41, 58]) {
    const restarted = run(restartAt)
    assert.deepEqual(decided(restarted.effects), decided(straight.effects))
    assert.deepEqual(told(restarted.effects), told(straight.effects))
    assert.equal(restarted.governor.stateHash, straight.governor.stateHash)
    assertSameRecords(restarted, straight)
  }
})

test('calls that were refused, counted before or told too late change no figure', () => {
  const governed = new Governed()
  setRules(governed, [], [rule({ condition: 'daily_tokens > 100' })])
  const call = callOf(MONDAY_MS + DAY_MS, 100)
  governed.apply(call, MONDAY_MS + DAY_MS)
  governed.apply(call, MONDAY_MS + DAY_MS)
  governed.use(MONDAY_MS + DAY_MS, 50, {
    verdict: { action: 'block', reserve: null, cap: null, decision: null },
  })
  // It was admitted on the day before.
  governed.apply(callOf(MONDAY_MS + DAY_MS - 1, 50), MONDAY_MS + DAY_MS)
  assert.deepEqual(decided(governed.effects), [])
  assert.deepEqual(decided(governed.use(MONDAY_MS + DAY_MS, 1)), ['one warn *'])
})

test('what a rule stops for two agents goes on until it holds for neither', () => {
  const governed = new Governed()
  const twice = rule({
    condition: 'agent_daily_tokens > 50 && agent_daily_calls < 3',
    action: 'pause_all_noncritical_agents',
  })
  setRules(governed, [], [twice])
  const at = MONDAY_MS + HOUR_MS
  const clear = (agent: string) => {
    governed.use(at, 1, { agent })
    governed.use(at, 1, { agent })
  }
  governed.use(at, 60, { agent: 'a' })
  governed.use(at, 60, { agent: 'b' })
  assert.deepEqual(decided(governed.effects), ['one pause *', 'one pause *'])
  clear('a')
  governed.tickTo(at + 5 * MINUTE_MS)
  assert.deepEqual(decided(governed.effects).length, 2)
  assert.equal(governed.governor.ruleStatuses()[0]?.holding, 1)
  governed.use(at + 6 * MINUTE_MS, 1, { agent: 'b' })
  governed.use(at + 6 * MINUTE_MS, 1, { agent: 'b' })
  governed.tickTo(at + 11 * MINUTE_MS)
  assert.deepEqual(decided(governed.effects).slice(2), ['one allow *'])
})

test('calls that name no task are no task that could run away', () => {
  const governed = new Governed()
  setRules(governed, LIMITS)
  governed.use(MONDAY_MS, 90, { agent: 'a', task: 'unknown' })
  assert.deepEqual(decided(governed.effects), [])
})

test('a projected breach is told of once the history of the budget suffices', () => {
  const governed = new Governed()
  const daily = { id: 'daily', window: 'day' as const, mode: 'shadow' as const }
  setRules(governed, [{ ...daily, limit: { tokens: 2000 } }])
  const days = (from: number, until: number, tokens: number) => {
    for (let at = MONDAY_MS + from * DAY_MS; at < MONDAY_MS + until * DAY_MS; at += HOUR_MS) {
      governed.tickTo(at)
      governed.use(at, tokens)
    }
  }
  // 24 x 50 = 1200 a day are 60 % of the limit.
  days(0, 21, 50)
  assert.deepEqual(decided(governed.effects), [])
  // 24 x 80 = 1920 are 96 % of it.
  days(21, 30, 80)
  const texts = told(governed.effects)
  assert.ok(texts.length > 0)
  for (const text of texts) assert.match(text, /^On track to exceed daily budget by \d+%$/)
  // At most once a day.
  assert.ok(texts.length <= 9, String(texts.length))
})
