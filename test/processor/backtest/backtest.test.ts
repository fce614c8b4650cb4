import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  type PolicyInput,
  policySchema,
  type Rule,
  type TaskEnd,
  type UsageEvent,
  usageEventSchema,
} from '@tokenfuse/protocol'
import fc from 'fast-check'
import { Backtest, backtestFile } from '../../../processor/src/backtest/backtest.ts'
import { isUsageEvent } from '../../../processor/src/backtest/is-usage-event.ts'
import { defaultRules } from '../../../processor/src/policy/rules-file.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'
import { temporaryFolder } from '../../support/processor.ts'
import { usageEvent } from '../../support/usage-event.ts'
import { callOf, DAY_MS, MINUTE_MS, MONDAY_MS } from '../governor/support/governed.ts'

function policy(budgets: PolicyInput['budgets'], rules: readonly Rule[] = [], name = 'p') {
  return { name, policy: policySchema.parse({ version: 1, budgets }), rules }
}

function taskEnd(atMs: number, agent: string, task: string, outcome: TaskEnd['outcome']): TaskEnd {
  const time = new Date(atMs).toISOString()
  return { type: 'task.end', v: 1, tenant: 'default', task, agent, taskType: null, outcome, time }
}

/** Ten calls a minute apart, of 10 tokens each. */
function tenCalls(fields: Partial<UsageEvent> = {}, fromMs = MONDAY_MS): UsageEvent[] {
  return Array.from({ length: 10 }, (_, index) => callOf(fromMs + index * MINUTE_MS, 10, fields))
}

const DAILY = { id: 'daily', window: 'day' as const, mode: 'soft' as const }

function run(events: readonly (UsageEvent | TaskEnd)[], ...policies: ReturnType<typeof policy>[]) {
  const backtest = new Backtest(policies)
  for (const event of events) assert.equal(backtest.take(event), null)
  return backtest.result()
}

test('calls that a decision in force would have refused are not spent, and say what that would have avoided', () => {
  const result = run(tenCalls({ task: 't' }), policy([{ ...DAILY, limit: { tokens: 40 } }]))
  const [found] = result.policies
  assert.ok(found)
  // Four calls fill the limit, the other six are refused: 60 tokens at 150,000 pico-USD.
  assert.deepEqual(found.spent, { calls: 4, tokens: 40, costPicoUsd: '6000000' })
  assert.deepEqual(found.avoided, { calls: 6, tokens: 60, costPicoUsd: '9000000' })
  assert.deepEqual(result.recorded, { calls: 10, tokens: 100, costPicoUsd: '15000000' })
  assert.deepEqual(found.sources, [
    {
      kind: 'budget',
      name: 'daily',
      decisions: { block: 1 },
      refused: { calls: 6, tokens: 60, costPicoUsd: '9000000' },
      firstDecisionAt: '2026-06-01T00:03:00.000Z',
      firstRefusalAt: '2026-06-01T00:04:00.000Z',
    },
  ])
  assert.deepEqual(
    found.decisions.map(({ action, source, scope }) => [action, source, scope]),
    [['block', 'daily', '*']],
  )
})

test('a window that is over refuses nothing in the next', () => {
  const days = [...tenCalls(), ...tenCalls({}, MONDAY_MS + DAY_MS)]
  const [found] = run(days, policy([{ ...DAILY, limit: { tokens: 40 } }])).policies
  assert.equal(found?.spent.calls, 8)
  assert.equal(found.avoided.calls, 12)
})

test('a call that began before the decision was made is not refused for it', () => {
  const early = callOf(MONDAY_MS, 50, { durationMs: 60_000 })
  const during = callOf(MONDAY_MS + 30_000, 50, { durationMs: 60_000 })
  const after = callOf(MONDAY_MS + 90_000, 50)
  const [found] = run(
    [early, during, after],
    policy([{ ...DAILY, limit: { tokens: 40 } }]),
  ).policies
  assert.equal(found?.spent.calls, 2)
  assert.equal(found.avoided.calls, 1)
})

test('shadow budgets and warnings refuse nothing', () => {
  const shadow = { ...DAILY, mode: 'shadow' as const, limit: { tokens: 40 } }
  const [found] = run(tenCalls(), policy([shadow])).policies
  assert.equal(found?.avoided.calls, 0)
  assert.deepEqual(found.sources[0]?.decisions, { block: 1 })
})

test('tasks that were completed and would have been hit are told apart from those that were not', () => {
  const each = { ...DAILY, id: 'each', per: ['task'], limit: { tokens: 40 } }
  const failing = { error: 'rate_limit' }
  const events = [
    ...tenCalls({ task: 'completed' }),
    taskEnd(MONDAY_MS + 20 * MINUTE_MS, 'writer', 'completed', 'completed'),
    ...tenCalls({ task: 'failed' }, MONDAY_MS + 20 * MINUTE_MS),
    taskEnd(MONDAY_MS + 40 * MINUTE_MS, 'writer', 'failed', 'failed'),
    ...tenCalls({ task: 'ended well' }, MONDAY_MS + 40 * MINUTE_MS),
    ...tenCalls({ task: 'ended badly' }, MONDAY_MS + 60 * MINUTE_MS).map((event, index) =>
      index === 9 ? { ...event, ...failing } : event,
    ),
    ...tenCalls({ task: 'unknown' }, MONDAY_MS + 80 * MINUTE_MS),
  ]
  const { tasks } = run(events, policy([each])).policies[0] ?? {}
  assert.ok(tasks)
  assert.equal(tasks.hit, 4)
  assert.equal(tasks.completedAsTold, 1)
  assert.equal(tasks.completedAsItLooks, 1)
  assert.deepEqual(tasks.refusedOfCompleted, { calls: 12, tokens: 120, costPicoUsd: '18000000' })
  const outcomes = Object.fromEntries(
    tasks.dearest.map(({ task, outcome, isCompleted }) => [task, [outcome, isCompleted]]),
  )
  assert.deepEqual(outcomes, {
    completed: ['completed', true],
    'ended badly': [null, false],
    'ended well': [null, true],
    failed: ['failed', false],
  })
})

test('the shipped rules run, too: a runaway task is killed and all but critical calls are paused', () => {
  const limits = [
    { ...DAILY, mode: 'shadow' as const, limit: { tokens: 100 } },
    {
      id: 'task',
      window: 'lifetime' as const,
      per: ['task'],
      mode: 'shadow' as const,
      limit: { tokens: 10 },
    },
  ]
  const events = [
    ...tenCalls({ agent: 'a', task: 'loop' }),
    callOf(MONDAY_MS + 20 * MINUTE_MS, 70, { agent: 'b', task: 'unknown' }),
    callOf(MONDAY_MS + 21 * MINUTE_MS, 10, { agent: 'b', task: 'unknown' }),
    callOf(MONDAY_MS + 22 * MINUTE_MS, 10, { agent: 'b', criticality: 'critical' }),
  ]
  const [found] = run(events, policy(limits, defaultRules())).policies
  assert.ok(found)
  const refused = found.sources.map(({ kind, name, refused: { calls } }) => [kind, name, calls])
  // 40 tokens are more than three times 10, so six calls of the loop are refused; 40 + 70 are more than 100.
  assert.deepEqual(
    refused.filter(([kind]) => kind === 'rule'),
    [
      ['rule', 'runaway_detected', 6],
      ['rule', 'daily_budget_exceeded', 1],
    ],
  )
})

test('two policies see the same events, and neither changes what the other sees', () => {
  const tight = policy([{ ...DAILY, limit: { tokens: 20 } }], [], 'tight')
  const loose = policy([{ ...DAILY, limit: { tokens: 1000 } }], [], 'loose')
  const both = run(tenCalls(), tight, loose)
  assert.deepEqual(
    both.policies.map(({ name, avoided }) => [name, avoided.calls]),
    [
      ['tight', 8],
      ['loose', 0],
    ],
  )
  // Nothing of one run is in the other, whatever the order.
  const again = run(tenCalls(), loose, tight)
  assert.deepEqual(again.policies[1]?.avoided, both.policies[0]?.avoided)
})

test('calls recorded twice, too late, or refused then are counted apart and avoid nothing', () => {
  const calls = tenCalls()
  const late = callOf(MONDAY_MS - 3 * DAY_MS, 10)
  const refused = callOf(MONDAY_MS + DAY_MS / 2, 10, {
    verdict: { action: 'block', reserve: null, cap: null, decision: 'd1-0' },
  })
  const events = [...calls, calls[0] ?? late, late, refused]
  const { file, recorded } = run(events, policy([{ ...DAILY, limit: { tokens: 40 } }]))
  assert.deepEqual([file.duplicates, file.late, file.refusedThen], [1, 1, 1])
  assert.equal(recorded.calls, 10)
})

test('bad lines of a file are told with their number and keep nothing else from being read', async (t) => {
  const path = join(temporaryFolder(t), 'events.jsonl')
  const [first, second] = tenCalls()
  const lines = [
    JSON.stringify(first),
    '{"type":"usage","v":1}',
    '',
    'nonsense',
    JSON.stringify({ type: 'tick', v: 1 }),
    JSON.stringify({ ...second, costPicoUsd: '-5' }),
    '"x"',
    JSON.stringify({ type: 'strange' }),
    // The last line has no end.
    JSON.stringify(second),
  ]
  writeFileSync(path, lines.join('\n'))
  const progress: number[] = []
  const { file, policies } = await backtestFile(path, [policy([])], ({ lines: read }) => {
    progress.push(read)
  })
  assert.deepEqual(
    file.bad.map(({ line, reason }) => `${line} ${reason.split(':')[0]}`),
    [
      '2 tenant',
      '4 no JSON',
      '6 costPicoUsd',
      '7 no event',
      '8 an event of type "strange" is not known',
    ],
  )
  assert.deepEqual([file.lines, file.events, file.otherEvents, file.badLines], [9, 2, 1, 5])
  assert.equal(policies[0]?.spent.calls, 2)
  assert.equal(progress.at(-1), 9)
  await assert.rejects(backtestFile(`${path}.none`, [policy([])]), { code: 'file_unreadable' })
})

test('an event that passes the quick check passes the schema, whatever is wrong in it', () => {
  const event = usageEvent({ responseId: 'r', tags: { team: 'a' } })
  assert.ok(isUsageEvent(event))
  const value = fc.oneof(
    fc.constantFrom(null, '', 'x', 0, -1, 1.5, [], {}, true, '2026-02-30T00:00:00.000Z', '12'),
    fc.anything(),
  )
  const keys = [
    ...Object.keys(event),
    'callers',
    'tokens.input',
    'charges.0.kind',
    'charges.0.part',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...keys), value, (key, bad) => {
      const copy = structuredClone(event) as unknown as Record<string, unknown>
      const [last = '', ...path] = key.split('.').reverse()
      let target = copy
      for (const part of path.reverse()) target = target[part] as Record<string, unknown>
      target[last] = bad
      if (isUsageEvent(copy)) assert.ok(usageEventSchema.safeParse(copy).success, key)
    }),
    { interruptAfterTimeLimit: FUZZ_MS, numRuns: 20_000 },
  )
})
