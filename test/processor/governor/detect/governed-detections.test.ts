import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { DecisionBook, type TaskOutcome } from '@tokenfuse/protocol'
import fc from 'fast-check'
import { Alerts } from '../../../../processor/src/governor/detect/alerts.ts'
import { FUZZ_MS } from '../../../support/fuzz.ts'
import { seededRandom } from '../../../support/random.ts'
import {
  assertSameRecords,
  callOf,
  DAY_MS,
  Governed,
  HOUR_MS,
  MINUTE_MS,
  MONDAY_MS,
} from '../support/governed.ts'

/** Calls, a second apart, that each tell of the same tool call with the same result, or with one of their own. */
function loop(governed: Governed, calls: number, results: (at: number) => string): void {
  const startMs = Math.max(MONDAY_MS, governed.governor.logTimeMs)
  for (let at = 0; at < calls; at++) {
    governed.use(startMs + (at + 1) * 1000, 20_000, {
      toolCallKeys: ['list files'],
      toolResultKeys: [results(at)],
    })
  }
}

function endTask(governed: Governed, outcome: TaskOutcome, agent = 'writer'): void {
  const atMs = governed.governor.logTimeMs
  const time = new Date(atMs).toISOString()
  const taskType = null
  governed.apply(
    { type: 'task.end', v: 1, tenant: 'default', task: 't-1', agent, taskType, outcome, time },
    atMs,
  )
}

const actions = (governed: Governed) =>
  governed.governor.decisions().map(({ rule, scope, action }) => [rule, scope, action])

suite('runaways, as the governor tells of them', () => {
  test('are warned of without any policy, and nothing is refused', () => {
    const governed = new Governed()
    loop(governed, 5, () => 'same')
    const [detection, ...others] = governed.governor.detections()
    assert.deepEqual(others, [])
    assert.equal(detection?.kind, 'repetition')
    assert.equal(detection?.level, 'notice')
    assert.equal(detection?.scope, 'agent=writer,task=t-1')
    assert.deepEqual(detection?.evidence, [{ rule: 'loop_rounds', value: 5, limit: 5 }])
    assert.deepEqual(actions(governed), [['runaway.repetition', 'agent=writer,task=t-1', 'warn']])
    const decision = governed.governor.decision(detection?.decision ?? '')
    assert.match(decision?.reason ?? '', /^The same turns, with the same results, 5 times in a row/)
    // 5 calls of 20,000 tokens
    assert.equal(decision?.inputs.spent, '100000')
  })

  test('are none where a poll returns something new', () => {
    const governed = new Governed()
    loop(governed, 20, String)
    assert.deepEqual(governed.governor.detections(), [])
  })

  test('are over when their task is, with what an end at the first alarm would have saved', () => {
    const governed = new Governed()
    loop(governed, 6, () => 'same')
    endTask(governed, 'completed')
    governed.tickTo(governed.governor.logTimeMs + 5 * MINUTE_MS)
    const [detection] = governed.governor.detections()
    assert.notEqual(detection?.until, null)
    // The sixth call came after the alarm.
    assert.equal(detection?.wouldHaveSavedTokens, 20_000)
    assert.deepEqual(actions(governed), [])
    const ended = governed.effects.findLast((effect) => effect.type === 'decision')
    assert.equal(ended?.decision.action, 'allow')
  })

  test('are over with a task of unknown agent, too', () => {
    const governed = new Governed()
    loop(governed, 5, () => 'same')
    endTask(governed, 'completed', 'unknown')
    governed.tickTo(governed.governor.logTimeMs + 5 * MINUTE_MS)
    assert.deepEqual(actions(governed), [])
  })

  test('are killed where the policy says so, stay killed when they fall silent, and are let go by another policy', () => {
    const governed = new Governed()
    const detect = { runaway: { pause: 'pause' as const, kill: 'kill' as const } }
    governed.setPolicy([], { detect })
    loop(governed, 10, () => 'same')
    assert.deepEqual(actions(governed), [['runaway.repetition', 'agent=writer,task=t-1', 'pause']])
    loop(governed, 4, () => 'same')
    assert.deepEqual(actions(governed), [['runaway.repetition', 'agent=writer,task=t-1', 'kill']])
    const killedMs = governed.governor.logTimeMs
    governed.tickTo(killedMs + 2 * HOUR_MS)
    assert.deepEqual(actions(governed), [['runaway.repetition', 'agent=writer,task=t-1', 'kill']])
    // What it would have spent nobody knows.
    assert.equal(governed.governor.detections()[0]?.wouldHaveSavedTokens, null)
    const twin = new Governed()
    twin.setPolicy([], { detect })
    loop(twin, 14, () => 'same')
    twin.setPolicy([], {}, killedMs)
    assert.deepEqual(actions(twin), [['runaway.repetition', 'agent=writer,task=t-1', 'warn']])
    governed.tickTo(killedMs + DAY_MS + MINUTE_MS)
    assert.deepEqual(actions(governed), [])
  })

  test('that were stopped are no measure for others, whatever the app says of their end', () => {
    const learned = (detect: object) => {
      const governed = new Governed()
      governed.setPolicy([], { detect })
      loop(governed, 5, () => 'same')
      endTask(governed, 'failed', 'unknown')
      governed.tickTo(governed.governor.logTimeMs + 5 * MINUTE_MS)
      const baseline = governed.records().get('task-baseline/writer') ?? '{}'
      return (JSON.parse(baseline) as { baseline?: { tasks: number } }).baseline?.tasks ?? 0
    }
    assert.equal(learned({}), 1)
    assert.equal(learned({ runaway: { notice: 'block' } }), 0)
  })

  test('that go on are never let off by a level that is asked to do less', () => {
    const governed = new Governed()
    governed.setPolicy([], { detect: { runaway: { notice: 'block', pause: 'none' } } })
    loop(governed, 14, () => 'same')
    assert.equal(governed.governor.detections()[0]?.level, 'kill')
    assert.deepEqual(actions(governed), [['runaway.repetition', 'agent=writer,task=t-1', 'block']])
  })

  test('that are killed have the calls of their task refused by guards, and no others', () => {
    const governed = new Governed()
    governed.setPolicy([], { detect: { runaway: { notice: 'kill' } } })
    loop(governed, 5, () => 'same')
    const book = new DecisionBook()
    book.apply({ type: 'decisions', decisions: governed.governor.decisions() }, 0)
    const values = {
      tenant: 'default',
      agent: 'writer',
      task: 't-1',
      taskType: 'unknown',
      step: 'unknown',
      user: 'unknown',
      session: 'unknown',
      model: 'gpt-4o-mini',
      provider: 'openai',
      service: 'unknown',
      tags: {},
    }
    assert.equal(book.find(values, 0)?.action, 'kill')
    assert.equal(book.find({ ...values, task: 't-2' }, 0), null)
    assert.equal(book.find({ ...values, agent: 'reader' }, 0), null)
  })

  test('of a fan-out are a matter of the whole task', () => {
    const governed = new Governed()
    governed.setPolicy([], { detect: { runaway: { notice: 'block' } } })
    const traceId = 'f'.repeat(32)
    governed.use(MONDAY_MS, 1000, { traceId, spanId: '1'.repeat(16), agent: 'root' })
    for (let at = 0; at < 20; at++) {
      const agent = `child-${at}`
      governed.use(MONDAY_MS, 1000, { traceId, parentSpanId: '1'.repeat(16), agent })
    }
    const [detection] = governed.governor.detections()
    assert.equal(detection?.kind, 'fan-out')
    assert.deepEqual(actions(governed), [['runaway.fan-out', 'task=t-1', 'block']])
  })

  test('whose task is unknown are only warned of', () => {
    const governed = new Governed()
    governed.setPolicy([], { detect: { runaway: { notice: 'kill' } } })
    for (let at = 0; at < 5; at++) {
      governed.use(MONDAY_MS + at * 1000, 20_000, {
        traceId: 'e'.repeat(32),
        task: 'unknown',
        toolCallKeys: ['list'],
        toolResultKeys: ['same'],
      })
    }
    assert.deepEqual(actions(governed), [['runaway.repetition', 'agent=writer', 'warn']])
    assert.match(governed.governor.decisions()[0]?.reason ?? '', /nothing is stopped/)
  })

  test('whose task is unknown are stopped by their session, as long as one of it is under way', () => {
    const governed = new Governed()
    governed.setPolicy([], { detect: { runaway: { notice: 'pause' } } })
    const inSession = (trace: string, atMs: number) => {
      for (let at = 0; at < 5; at++) {
        governed.use(atMs + at * 1000, 20_000, {
          traceId: trace.repeat(32),
          task: 'unknown',
          session: 's-1',
          toolCallKeys: ['list'],
          toolResultKeys: ['same'],
        })
      }
    }
    inSession('e', MONDAY_MS)
    assert.deepEqual(actions(governed), [
      ['runaway.repetition', 'agent=writer,session=s-1', 'pause'],
    ])
    assert.doesNotMatch(governed.governor.decisions()[0]?.reason ?? '', /nothing is stopped/)
    inSession('f', MONDAY_MS + 30 * MINUTE_MS)
    const lastAction = () => {
      const last = governed.effects.findLast(({ type }) => type === 'decision')
      return last?.type === 'decision' && last.decision.action
    }
    // An hour after its last call the first is over, and the second not yet.
    governed.tickTo(MONDAY_MS + 70 * MINUTE_MS)
    assert.equal(governed.governor.decisions().length, 1)
    assert.equal(lastAction(), 'pause')
    governed.tickTo(MONDAY_MS + 100 * MINUTE_MS)
    assert.deepEqual(actions(governed), [])
    assert.equal(lastAction(), 'allow')
  })
})

suite('spikes, as the governor tells of them', () => {
  /** Two days of 10,000 tokens every ten minutes. */
  function usual(governed: Governed): number {
    let timeMs = MONDAY_MS
    for (; timeMs < MONDAY_MS + 2 * DAY_MS; timeMs += 10 * MINUTE_MS) {
      governed.tickTo(timeMs)
      governed.use(timeMs, 10_000, { task: `t-${timeMs}`, user: 'u-1' })
    }
    return timeMs
  }

  test('begin within a minute, are warned of without any policy, and end an hour after they are gone', () => {
    const governed = new Governed()
    const startMs = usual(governed)
    for (let call = 0; call < 20; call++) {
      governed.use(startMs + call * 1000, 10_000, { task: `s-${call}`, user: 'u-1' })
    }
    governed.tickTo(startMs + MINUTE_MS)
    const scopes = governed.governor.detections().map(({ kind, scope }) => `${kind} ${scope}`)
    assert.deepEqual(
      new Set(scopes),
      new Set(['spike agent=writer', 'spike tenant=default', 'spike user=u-1']),
    )
    assert.equal(actions(governed).length, 3)
    assert.ok(actions(governed).every(([rule, , action]) => rule === 'spike' && action === 'warn'))
    governed.tickTo(startMs + 2 * HOUR_MS)
    assert.deepEqual(actions(governed), [])
    assert.ok(governed.governor.detections().every(({ until }) => until !== null))
  })

  test('of a user can be blocked by policy', () => {
    const governed = new Governed()
    governed.setPolicy([], { detect: { spike: { kill: 'block' } } })
    const startMs = usual(governed)
    for (let call = 0; call < 100; call++) {
      governed.use(startMs + call * 1000, 10_000, { task: `s-${call}`, user: 'u-1' })
    }
    governed.tickTo(startMs + 3 * MINUTE_MS)
    const byScope = new Map(actions(governed).map(([, scope, action]) => [scope, action]))
    assert.equal(byScope.get('user=u-1'), 'block')
    // Everybody is not to be stopped by a leap.
    assert.equal(byScope.get('tenant=default'), 'warn')
  })
})

test('detections and decisions are the same, byte for byte, wherever the log is cut by snapshots', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 2, max: 60 }), (seed, cut) => {
      const [one, two] = [new Governed(), new Governed()]
      for (const governed of [one, two])
        governed.setPolicy([], { detect: { spike: { notice: 'block' } } })
      const random = seededRandom(seed)
      let timeMs = MONDAY_MS
      for (let at = 0; at < 200; at++) {
        timeMs += Math.floor(random() ** 6 * 6 * HOUR_MS)
        const task = `t-${Math.floor(random() * 4)}`
        const call = callOf(timeMs, Math.floor(random() ** 4 * 1e6), {
          agent: `agent-${Math.floor(random() * 2)}`,
          task: random() < 0.2 ? 'unknown' : task,
          traceId: String(Math.floor(random() * 3)).padStart(32, '0'),
          toolCallKeys: ['a'],
          toolResultKeys: [random() < 0.7 ? 'same' : String(at)],
        })
        const time = new Date(timeMs).toISOString()
        const agent = random() < 0.5 ? 'unknown' : 'agent-0'
        const end = random() < 0.1
        for (const governed of [one, two]) {
          governed.tickTo(timeMs)
          governed.apply(call, timeMs)
          if (!end) continue
          governed.apply(
            {
              type: 'task.end',
              v: 1,
              tenant: 'default',
              task,
              agent,
              taskType: null,
              outcome: 'completed',
              time,
            },
            timeMs,
          )
        }
        if (at % cut === 0) two.restart()
      }
      assert.deepEqual(two.effects, one.effects)
      assertSameRecords(one, two)
      assert.deepEqual(two.governor.detections(), one.governor.detections())
      assert.ok(one.governor.detections().length > 0)
    }),
    { interruptAfterTimeLimit: FUZZ_MS, numRuns: 12 },
  )
})

test('of more alerts than are remembered the oldest one that is over goes, and it is counted', () => {
  let order = 0
  const alerts = new Alerts(() => ++order, 2)
  const facts = (scope: string) => ({
    kind: 'spike' as const,
    level: 'notice' as const,
    scope,
    isActionable: true,
    run: null,
    reason: '',
    evidence: [],
    tokens: 1,
    savesTokens: null,
  })
  alerts.begin('a1', 'default', facts('user=1'), 1)
  const second = alerts.begin('a2', 'default', facts('user=2'), 2)
  assert.equal(alerts.surplus(), null)
  alerts.begin('a3', 'default', facts('user=3'), 3)
  alerts.end(second, 4, 10)
  const surplus = alerts.surplus()
  assert.equal(surplus?.key, 'a2')
  if (surplus) alerts.evict(surplus)
  assert.equal(alerts.evicted, 1)
  assert.deepEqual(
    alerts.statuses().map(({ id }) => id),
    ['a3', 'a1'],
  )
})
