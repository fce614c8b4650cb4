import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { UsageEvent } from '@tokenfuse/protocol'
import { RunawayDetector } from '../../../../processor/src/governor/detect/runaway-detector.ts'
import { seededRandom } from '../../../support/random.ts'
import { call, HOUR_MS, keep, MINUTE_MS, Watch } from './calls.ts'

type Happening = { readonly event: UsageEvent; readonly endsTask: string | null }

/** Tasks side by side, some of them in loops, with sub-agents, or growing without end. */
function happenings(count: number): Happening[] {
  const random = seededRandom(11)
  const all: Happening[] = []
  for (let at = 0; at < count; at++) {
    const number = Math.floor(at / 40) * 4 + Math.floor(random() * 6)
    const task = `t${number}`
    const isLooping = number % 7 === 0
    const event = call(
      task,
      Math.round(1000 + random() * 4000 * (number % 11 === 0 ? 8 : 1)),
      isLooping ? ['again', 'same'] : [`call ${Math.floor(random() * 20)}`, `result ${at}`],
      {
        agent: number % 5 === 0 ? 'helper' : 'coder',
        spanId: at.toString(16).padStart(16, '0'),
        parentSpanId: Math.floor(random() * at)
          .toString(16)
          .padStart(16, '0'),
      },
    )
    all.push({ event, endsTask: random() < 0.05 ? task : null })
  }
  return all
}

/** What is told of, in order, as text. @param restartAt indices at which the detector is made anew from a snapshot */
function tell(all: readonly Happening[], restartAt: ReadonlySet<number>): string[] {
  const watch = new Watch()
  const told: string[] = []
  for (const [at, { event, endsTask }] of all.entries()) {
    if (restartAt.has(at)) watch.restart()
    told.push(...watch.observe(event).map((found) => JSON.stringify(found)))
    if (endsTask !== null) {
      watch.detector.endTask('default', 'coder', endsTask, 'completed', watch.nowMs)
    }
    told.push(...watch.pass(10_000).map((end) => JSON.stringify(end)))
  }
  told.push(...watch.pass(2 * HOUR_MS).map((end) => JSON.stringify(end)))
  return told
}

suite('the runaway detector', () => {
  test('tells the same of the same calls, also when it is made anew from a snapshot at any point', () => {
    const all = happenings(3000)
    const told = tell(all, new Set())
    assert.ok(told.length > 20)
    assert.deepEqual(tell(all, new Set()), told)
    assert.deepEqual(tell(all, new Set([1, 700, 701, 1999, 2999])), told)
  })

  test('a snapshot of all changes equals one of what changed last, kept together', () => {
    const watch = new Watch()
    const records = new Map<string, string>()
    for (const { event } of happenings(500)) {
      watch.observe(event)
      keep(records, watch.detector.takeChanges())
    }
    watch.pass(2 * HOUR_MS)
    keep(records, watch.detector.takeChanges())
    assert.ok(
      [...records.keys()].every(
        (key) => key.startsWith('task-baseline/') || key.startsWith('fan-out'),
      ),
      'nothing of a run is kept when it is over',
    )
  })

  test('a million task ids take no more room than some, and what went is counted', () => {
    const detector = new RunawayDetector({ maxRuns: 100, maxTraces: 50, maxBaselines: 10 })
    const records = new Map<string, string>()
    const observe = (task: string, at: number, timeMs: number) => {
      // A trace is one of several calls.
      for (const tokens of [1000, 1100]) {
        const agent = `agent-${at % 40}`
        detector.observe(call(task, tokens, ['a', 'b'], { agent }), timeMs)
      }
    }
    for (let at = 0; at < 5000; at++) observe(`t${at}`, at, at)
    detector.advance(10 * HOUR_MS)
    for (let at = 0; at < 5000; at++) observe(`u${at}`, at, 11 * HOUR_MS)
    keep(records, detector.takeChanges())
    const count = (prefix: string) => [...records.keys()].filter((key) => key.startsWith(prefix))
    assert.equal(count('run/').length, 100)
    assert.equal(count('trace/').length, 50)
    assert.equal(count('task-baseline/').length, 10)
    assert.equal(detector.evicted.runs, 4900 + 4900)
    assert.equal(detector.evicted.traces, 4950 + 4950)
    assert.ok(detector.evicted.baselines > 0)
  })

  test('what it keeps of one run stays small, however long the run', () => {
    const watch = new Watch()
    const random = seededRandom(2)
    for (let at = 0; at < 20_000; at++) {
      watch.observe(call('t', 1000, [`c${Math.floor(random() * 50)}`, `r${at % 60}`]))
    }
    const sizes = watch.detector.takeChanges().map(({ value }) => value?.length ?? 0)
    assert.ok(Math.max(...sizes) < 4000, `${Math.max(...sizes)} characters`)
  })

  test('a run in use is not the one that goes for want of room', () => {
    const detector = new RunawayDetector({ maxRuns: 10 })
    const found = Array.from({ length: 200 }, (_, at) => [
      ...detector.observe(call('kept', 5000, ['a', 'b']), at),
      ...detector.observe(call(`other-${at}`, 5000), at),
    ]).flat()
    assert.ok(found.some(({ level, run }) => level === 'kill' && run === 'kept'))
  })

  test('a level is told of once, and no milder one after it', () => {
    const watch = new Watch()
    for (let at = 0; at < 500; at++) watch.observe(call('t', 50_000, ['a', 'b']))
    for (const kind of ['repetition', 'bloat']) {
      const levels = watch.found.filter((found) => found.kind === kind).map(({ level }) => level)
      assert.deepEqual(levels, [...new Set(levels)])
    }
  })

  test('calls without known tokens, or of none, neither count as steps nor break anything', () => {
    const watch = new Watch()
    const unknown = { ...call('t', 0).tokens, input: null, output: null }
    for (let at = 0; at < 30; at++) watch.observe(call('t', 0, null, { tokens: unknown }))
    watch.end('t')
    assert.deepEqual(watch.found, [])
    assert.equal(watch.detector.dueMs(), 30_000 + HOUR_MS, 'only its trace is left')
    watch.pass(HOUR_MS)
    assert.equal(watch.detector.dueMs(), null)
  })

  test('the end of a task that is not known, or was told before, changes nothing', () => {
    const watch = new Watch()
    watch.end('nobody')
    watch.observe(call('t', 1000))
    watch.detector.endTask('default', 'coder', 't', 'completed', watch.nowMs)
    const dueMs = watch.detector.dueMs()
    watch.nowMs += MINUTE_MS
    watch.detector.endTask('default', 'coder', 't', 'cancelled', watch.nowMs)
    assert.equal(watch.detector.dueMs(), dueMs)
  })
})
