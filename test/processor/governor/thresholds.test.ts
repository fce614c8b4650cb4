import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageEvent } from '@tokenfuse/protocol'
import { usageEvent } from '../../support/usage-event.ts'
import { Governor } from '../../../processor/src/governor/governor.ts'
import { applyChanges, DAY_MS, decided, Governing, HOUR_MS, iso, NOON_MS } from './governing.ts'

/** A call of so many tokens, now. */
function calling(governing: Governing, tokens: number, more: Partial<UsageEvent> = {}) {
  const charges = [
    { kind: 'output', part: 'message', model: 'm', quantity: tokens, unit: 'token', picoUsd: '0' },
  ] as const
  return governing.apply(
    usageEvent({ time: iso(governing.nowMs), durationMs: 0, charges: [...charges], ...more }),
  )
}

const daily = (tokens: number, more: object = {}) => ({
  budgets: [{ id: 'daily', window: 'day', limit: { tokens }, ...more }] as never,
})

test('a warning comes at 80 % and a block at the limit, each once and not one token before', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000))
  assert.deepEqual(decided(calling(governing, 799)), [])
  assert.deepEqual(decided(calling(governing, 1)), ['warn daily *'])
  assert.deepEqual(decided(calling(governing, 199)), [])
  assert.deepEqual(decided(calling(governing, 1)), ['block daily *'])
  assert.deepEqual(decided(calling(governing, 5000)), [])
})

test('a share that gives no whole amount warns at the next whole one', () => {
  const governing = new Governing()
  governing.setPolicy(daily(7, { warnAt: 0.5 }))
  assert.deepEqual(decided(calling(governing, 3)), [])
  assert.deepEqual(decided(calling(governing, 1)), ['warn daily *']) // 4 >= 3.5
})

test('one call over both thresholds blocks without a warning before', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000))
  assert.deepEqual(decided(calling(governing, 1000)), ['block daily *'])
})

test('a decision says what it rests on and holds until its window ends', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000))
  calling(governing, 850)
  const [decision] = governing.governor.decisions()
  assert.equal(decision?.until, iso(NOON_MS + DAY_MS / 2))
  const { spent, limit, unit, policyVersion } = decision?.inputs ?? {}
  assert.deepEqual([spent, limit, unit, policyVersion], ['850', '1000', 'tokens', 1])
  assert.match(decision?.reason ?? '', /85%/)
})

test('at the end of the window its decision ends, and the next window counts from nothing', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000))
  calling(governing, 1000)
  const endMs = NOON_MS + DAY_MS / 2
  // Something may be due before, such as a forecast.
  assert.ok((governing.governor.tickDueMs() ?? Infinity) <= endMs)
  governing.nowMs = endMs - 1
  assert.deepEqual(decided(governing.tick()), [])
  assert.deepEqual(decided(governing.tick(1)), ['allow daily *'])
  assert.deepEqual(decided(calling(governing, 800)), ['warn daily *'])
  assert.deepEqual(governing.spent('daily'), { '*': '800' })
})

test('the end of a window does not lift the block that the next one has made already', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000))
  calling(governing, 1000)
  governing.nowMs = NOON_MS + DAY_MS / 2 + 5
  assert.deepEqual(decided(calling(governing, 1000)), ['block daily *'])
  assert.deepEqual(decided(governing.tick()), [])
  assert.deepEqual(
    governing.governor.decisions().map(({ action, from }) => [action, from]),
    [['block', iso(governing.nowMs)]],
  )
})

test('a call that comes late counts in the window of its admission and decides nothing for a window that is over', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000))
  calling(governing, 790)
  governing.nowMs += 13 * HOUR_MS
  assert.deepEqual(decided(calling(governing, 500, { time: iso(NOON_MS) })), [])
  assert.deepEqual(governing.spent('daily'), {})
  assert.equal(governing.governor.total().totalTokens, 1290)
})

test('a limit lowered below what is spent blocks at once, and raised again it lets go', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000))
  calling(governing, 500)
  assert.deepEqual(decided(governing.setPolicy(daily(400))), ['block daily *'])
  assert.deepEqual(decided(governing.setPolicy(daily(600))), ['warn daily *'])
  assert.deepEqual(decided(governing.setPolicy(daily(1000))), ['allow daily *'])
  assert.deepEqual(governing.spent('daily'), { '*': '500' })
})

test('a policy changed in mid-window keeps what is counted, unless the budget counts another thing from then on', () => {
  const governing = new Governing()
  const policy = (budget: object) => ({ budgets: [{ id: 'b', ...budget }] as never })
  governing.setPolicy(policy({ window: 'day', limit: { tokens: 1000 } }))
  calling(governing, 300)
  const same = { window: 'day', limit: { tokens: 2000 }, mode: 'soft', match: { agent: 'writ*' } }
  governing.setPolicy(policy(same))
  assert.deepEqual(governing.spent('b'), { '*': '300' })
  const others = [
    { window: 'month', limit: { tokens: 2000 } },
    { window: 'month', limit: { outputTokens: 2000 } },
    { window: 'month', limit: { outputTokens: 2000 }, per: ['agent'] },
  ]
  for (const other of others) {
    governing.setPolicy(policy(other))
    assert.deepEqual(governing.spent('b'), {}, JSON.stringify(other))
    calling(governing, 50)
  }
  assert.deepEqual(governing.spent('b'), { 'agent=writer': '50' })
})

test('a budget that leaves the policy takes its block with it', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000))
  calling(governing, 1000)
  assert.deepEqual(decided(governing.setPolicy({ budgets: [] })), ['allow daily *'])
  assert.deepEqual(governing.governor.decisions(), [])
})

test('a policy made from an older one than is in force is rejected and changes nothing', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000))
  const outdated = governing.log[0]?.event
  assert.ok(outdated)
  governing.setPolicy(daily(500))
  const [effect] = governing.apply(outdated)
  assert.equal(effect?.type === 'rejected' && effect.code, 'policy_outdated')
  assert.equal(governing.governor.policy()?.policy.budgets[0]?.limit?.tokens, 500)
})

test('an override raises the limit of one scope, and at its end the block is back', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000, { per: ['agent'] }))
  for (const agent of ['a', 'b']) calling(governing, 1000, { agent })
  const override = {
    type: 'override.set',
    v: 1,
    tenant: 'default',
    id: 'o-1',
    budget: 'daily',
    scope: 'agent=a',
    add: '1000',
    reason: 'a big day',
    by: 'ops',
    until: iso(NOON_MS + HOUR_MS),
  } as const
  assert.deepEqual(decided(governing.apply(override)), ['allow daily agent=a'])
  assert.ok((governing.governor.tickDueMs() ?? Infinity) <= NOON_MS + HOUR_MS)
  assert.deepEqual(decided(governing.tick(HOUR_MS)), ['block daily agent=a'])
})

test('an override of the same id takes the place of the one before, also on another scope', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000, { per: ['agent'] }))
  for (const agent of ['a', 'b']) calling(governing, 1000, { agent })
  const on = (scope: string) =>
    governing.apply({
      type: 'override.set',
      v: 1,
      tenant: 'default',
      id: 'o-1',
      budget: 'daily',
      scope,
      add: '1000',
      reason: 'a big day',
      by: 'ops',
      until: null,
    })
  assert.deepEqual(decided(on('agent=a')), ['allow daily agent=a'])
  assert.deepEqual(decided(on('agent=b')), ['block daily agent=a', 'allow daily agent=b'])
})

test('a shadow budget decides the same and says that nothing follows from it', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000, { mode: 'shadow' }))
  calling(governing, 1000)
  assert.deepEqual(
    governing.governor.decisions().map(({ action, mode }) => [action, mode]),
    [['block', 'shadow']],
  )
})

test('a refused call reached nobody and adds nothing', () => {
  const governing = new Governing()
  governing.setPolicy(daily(1000))
  const verdict = { action: 'block', reserve: null, cap: null, decision: null }
  calling(governing, 900, { verdict, responseId: null })
  assert.deepEqual(governing.spent('daily'), { '*': '0' })
  assert.equal(governing.governor.total().refusedCalls, 1)
})

test('calls are counted however they end, but for those that were refused', () => {
  const governing = new Governing()
  governing.setPolicy({ budgets: [{ id: 'b', window: 'hour', limit: { calls: 5 } }] as never })
  calling(governing, 1000)
  calling(governing, 0, { error: 'timeout', charges: [] })
  const verdict = { action: 'block', reserve: null, cap: null, decision: null }
  calling(governing, 0, { verdict, responseId: null })
  assert.deepEqual(governing.spent('b'), { '*': '2' })
  calling(governing, 1)
  assert.deepEqual(decided(calling(governing, 1)), ['warn b *'])
  assert.deepEqual(decided(calling(governing, 1)), ['block b *'])
})

test('a step counts once for all its calls; one that names no step, or neither task nor session, counts by itself', () => {
  const governing = new Governing()
  const budgets = [{ id: 'b', per: ['agent'], window: 'day', limit: { steps: 100 } }]
  governing.setPolicy({ budgets: budgets as never })
  const counted = (more: Partial<UsageEvent>) => {
    const before = Number(governing.spent('b')['agent=writer'] ?? 0)
    calling(governing, 1, more)
    return Number(governing.spent('b')['agent=writer']) - before
  }
  const rows: [counts: number, more: Partial<UsageEvent>][] = [
    [1, { task: 't', step: 1 }],
    [0, { task: 't', step: 1 }],
    [1, { task: 't', step: 2 }],
    [1, { task: 't', step: 2, stepName: 'answer' }],
    [1, { task: 't', stepName: 'answer' }],
    [0, { task: 't', stepName: 'answer', user: 'another' }],
    [1, { task: 'u', step: 1 }],
    [1, { task: 't', session: 's', step: 1 }],
    [1, { task: 't' }],
    [1, { task: 't' }],
    [1, { task: 'unknown', step: 1 }],
    [1, { task: 'unknown', step: 1 }],
    [1, { task: 'unknown', session: 's', step: 1 }],
    [0, { task: 'unknown', session: 's', step: 1 }],
  ]
  for (const [counts, more] of rows) assert.equal(counted(more), counts, JSON.stringify(more))
})

test('the last step that a limit allows may take further calls; the next one blocks', () => {
  const governing = new Governing()
  governing.setPolicy({ budgets: [{ id: 'b', window: 'day', limit: { steps: 2 } }] as never })
  calling(governing, 1, { step: 1 })
  assert.deepEqual(decided(calling(governing, 1, { step: 2 })), ['warn b *'])
  assert.deepEqual(decided(calling(governing, 1, { step: 2 })), [])
  assert.deepEqual(decided(calling(governing, 1, { step: 3 })), ['block b *'])
})

test('steps that were counted are known after a restart, so that their calls do not count again', () => {
  const governing = new Governing()
  governing.setPolicy({ budgets: [{ id: 'b', window: 'day', limit: { steps: 9 } }] as never })
  for (const step of [1, 2, 1]) calling(governing, 1, { step })
  governing.governor = Governor.restore(applyChanges(new Map(), governing.governor))
  for (const step of [2, 3]) calling(governing, 1, { step })
  assert.deepEqual(governing.spent('b'), { '*': '3' })
})
