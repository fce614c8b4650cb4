import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogEvent } from '@tokenfuse/protocol'
import {
  assertSameRecords,
  callOf,
  Governed,
  HOUR_MS,
  MINUTE_MS,
  MONDAY_MS,
} from './support/governed.ts'
import { rule, setRules } from './rules/ruled.ts'

/** Calls, a second apart, that each tell of the same tool call with the same result. */
function loop(governed: Governed, calls: number, task = 't-1'): void {
  for (let at = 0; at < calls; at++) {
    governed.use(Math.max(MONDAY_MS, governed.governor.logTimeMs) + 1000, 20_000, {
      task,
      toolCallKeys: ['list files'],
      toolResultKeys: ['same'],
    })
  }
}

const liftOf = (decision: string): LogEvent => ({
  type: 'decision.lift',
  v: 1,
  tenant: 'default',
  decision,
  reason: 'a long job',
  by: 'ann',
})

const lift = (governed: Governed, decision: string) =>
  governed.apply(liftOf(decision), governed.governor.logTimeMs)

const inForce = (governed: Governed) =>
  governed.governor.decisions().map(({ rule: name, scope, action }) => `${name} ${action} ${scope}`)

const decidedBy = (effects: ReturnType<typeof lift>) =>
  effects.flatMap((effect) =>
    effect.type === 'decision' ? [`${effect.decision.action}: ${effect.decision.reason}`] : [],
  )

function killing(): Governed {
  const governed = new Governed()
  governed.setPolicy([], { detect: { runaway: { notice: 'kill' } } })
  loop(governed, 5)
  assert.deepEqual(inForce(governed), ['runaway.repetition kill agent=writer,task=t-1'])
  return governed
}

test('a task that was killed goes on when it is lifted, whatever level it rises to, and others do not', () => {
  const governed = killing()
  const [{ id } = { id: '' }] = governed.governor.decisions()
  assert.deepEqual(decidedBy(lift(governed, id)), ['allow: lifted by ann: a long job'])
  assert.deepEqual(inForce(governed), [])
  governed.restart()
  loop(governed, 20)
  // It is still told of, also for what it had not done before.
  assert.deepEqual(
    governed.governor.detections().map(({ kind, level, action }) => [kind, level, action]),
    [
      ['bloat', 'notice', 'none'],
      ['repetition', 'kill', 'none'],
    ],
  )
  assert.deepEqual(inForce(governed), [])
  governed.setPolicy([], { detect: { runaway: { notice: 'pause' } } }, governed.governor.logTimeMs)
  assert.deepEqual(inForce(governed), [])
  loop(governed, 5, 't-2')
  assert.deepEqual(inForce(governed), ['runaway.repetition pause agent=writer,task=t-2'])
})

test('the decision that took the place of the one that is named is lifted', () => {
  const governed = killing()
  const [{ id } = { id: '' }] = governed.governor.decisions()
  loop(governed, 4)
  assert.notEqual(governed.governor.decisions()[0]?.id, id)
  lift(governed, id)
  assert.deepEqual(inForce(governed), [])
})

test('a rule that is lifted decides nothing more until it holds anew', () => {
  const governed = new Governed()
  const condition = 'agent_hourly_tokens > 100'
  setRules(governed, [], [rule({ condition, action: 'block', message: 'over' })])
  governed.use(MONDAY_MS + MINUTE_MS, 101)
  const [{ id } = { id: '' }] = governed.governor.decisions()
  assert.deepEqual(decidedBy(lift(governed, id)), ['allow: lifted by ann: a long job'])
  governed.restart()
  assert.deepEqual(decidedBy(governed.use(MONDAY_MS + 2 * MINUTE_MS, 500)), [])
  assert.deepEqual(inForce(governed), [])
  // The next hour; the end of what was lifted is no news.
  governed.effects.length = 0
  governed.tickTo(MONDAY_MS + HOUR_MS + MINUTE_MS)
  assert.deepEqual(decidedBy(governed.effects), [])
  governed.use(MONDAY_MS + HOUR_MS + 2 * MINUTE_MS, 101)
  assert.deepEqual(inForce(governed), ['one block agent=writer'])
})

test('a rule that stops everything for several agents is lifted for all of them at once', () => {
  const governed = new Governed()
  const action = 'pause_all_noncritical_agents'
  setRules(governed, [], [rule({ condition: 'agent_hourly_tokens > 100', action })])
  governed.use(MONDAY_MS + MINUTE_MS, 101, { agent: 'a' })
  governed.use(MONDAY_MS + MINUTE_MS, 101, { agent: 'b' })
  assert.deepEqual(inForce(governed), ['one pause *', 'one pause *'])
  const [{ id } = { id: '' }] = governed.governor.decisions()
  assert.deepEqual(decidedBy(lift(governed, id)), ['allow: lifted by ann: a long job'])
  assert.deepEqual(inForce(governed), [])
  // For a third one it begins to hold.
  governed.use(MONDAY_MS + 2 * MINUTE_MS, 101, { agent: 'c' })
  assert.deepEqual(inForce(governed), ['one pause *'])
  // Its end is told, though those that were lifted hold on.
  setRules(governed, [], [], MONDAY_MS + 3 * MINUTE_MS)
  assert.deepEqual(inForce(governed), [])
  const last = governed.effects.findLast(({ type }) => type === 'decision')
  assert.ok(last?.type === 'decision' && last.decision.action === 'allow')
})

test('what is unknown, over, or of a budget is not lifted, and nothing changes', () => {
  const governed = killing()
  const budgets = [{ id: 'all', window: 'day' as const, limit: { tokens: 10 } }]
  const detect = { runaway: { notice: 'kill' as const } }
  governed.setPolicy(budgets, { detect }, governed.governor.logTimeMs)
  governed.use(governed.governor.logTimeMs, 20, { task: 't-9' })
  const ofBudget = governed.governor.decisions().find(({ budget }) => budget === 'all')
  const [before, hash] = [inForce(governed), governed.governor.stateHash]
  for (const id of ['nothing', ofBudget?.id ?? '']) {
    const [effect, ...others] = lift(governed, id)
    assert.ok(effect?.type === 'rejected' && effect.code === 'not_found')
    assert.deepEqual(others, [])
  }
  assert.deepEqual(inForce(governed), before)
  assert.equal(governed.governor.stateHash, hash)
})

test('the same log with a lift in it gives the same, byte for byte, wherever it is cut by snapshots', () => {
  const [one, two] = [new Governed(), new Governed()]
  const both = (event: LogEvent) => {
    for (const governed of [one, two]) governed.apply(event, MONDAY_MS + HOUR_MS)
    two.restart()
  }
  for (const governed of [one, two]) {
    governed.setPolicy([], { detect: { runaway: { notice: 'kill' } } })
  }
  const call = () =>
    callOf(MONDAY_MS, 20_000, { toolCallKeys: ['list files'], toolResultKeys: ['same'] })
  for (let at = 0; at < 5; at++) both(call())
  const [{ id } = { id: '' }] = one.governor.decisions()
  both(liftOf(id))
  both(liftOf(id))
  for (let at = 0; at < 5; at++) both(call())
  assert.deepEqual(two.effects, one.effects)
  assertSameRecords(one, two)
})
