import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { explain } from '../../../../processor/src/governor/detect/explain.ts'
import { LEVELS } from '../../../../processor/src/governor/detect/levels.ts'
import { seededRandom } from '../../../support/random.ts'
import { call, HOUR_MS, MINUTE_MS, Watch } from './calls.ts'

/** A task whose context grows from 2,000 tokens on by about 500 a call. */
function ordinary(random: () => number): number[] {
  const steps = 6 + Math.floor(random() * 10)
  const growth = 300 + random() * 400
  return Array.from({ length: steps }, (_, at) => Math.round(2000 + at * growth))
}

function watchAfter(tasks: number, seed = 1): Watch {
  const watch = new Watch()
  const random = seededRandom(seed)
  for (let at = 0; at < tasks; at++) watch.finish(`learned-${at}`, ordinary(random))
  watch.found.length = 0
  return watch
}

suite('bloat', () => {
  test('a task that goes on and on reaches each level once, mildest first', () => {
    const watch = watchAfter(200)
    for (let at = 0; at < 60; at++) watch.observe(call('runaway', 2000 + at * 500))
    assert.ok(watch.found.every(({ kind }) => kind === 'bloat'))
    const told = watch.found.map(({ level }) => LEVELS.indexOf(level))
    assert.deepEqual(
      told,
      [...new Set(told)].sort((a, b) => a - b),
    )
    assert.equal(watch.found.at(-1)?.level, 'kill')
    assert.ok((watch.found.at(-1)?.step ?? 60) < 30)
  })

  test('a task whose context grows too fast is told of before it has spent what a whole task does', () => {
    const watch = watchAfter(200)
    // 200 ordinary tasks of up to 15 calls with up to 9,000 tokens of context spend 50,000 in the median.
    for (let at = 0; at < 8; at++) watch.observe(call('runaway', 2000 + at * 3000))
    const [first] = watch.found
    assert.ok(first)
    assert.ok(first.tokens < 50_000)
    assert.ok((first.figures.contextSlope ?? 0) > 4 * (first.figures.medianContextSlope ?? 0))
  })

  test('says what gave it away, what half of the tasks had spent by then, and what an end would save', () => {
    const watch = watchAfter(200)
    for (let at = 0; at < 30; at++) watch.observe(call('runaway', 2000 + at * 1000))
    const found = watch.found.at(-1)
    assert.ok(found)
    assert.equal(found.evidence[0]?.rule, 'tokens_after_step')
    assert.ok((found.evidence[0]?.limit ?? Infinity) < found.tokens)
    assert.deepEqual(found.basis, { of: 'agent', finished: 200 })
    assert.ok((found.figures.medianTokens ?? Infinity) < found.tokens)
    // The next call alone costs what the last did and a step more.
    assert.ok((found.savesTokens ?? 0) >= 2000 + found.step * 1000)
    assert.match(explain(found), /tokens after \d+ calls, where \d+ is the limit/)
  })

  test('when a run that was told of is over, what an end at each alarm would have saved is known', () => {
    const watch = watchAfter(200)
    for (let at = 0; at < 30; at++) watch.observe(call('runaway', 2000 + at * 1000))
    watch.detector.endTask('default', 'coder', 'runaway', 'stopped', watch.nowMs)
    const [end] = watch.pass(5 * MINUTE_MS)
    // 30 calls of 2,000 + 1,000 x 0 to 29
    assert.equal(end?.tokens, 495_000)
    assert.equal(end.ending, 'stopped')
    assert.deepEqual(
      end.alarms.map(({ level }) => level),
      LEVELS,
    )
    for (const { level, step, tokens } of watch.found) {
      assert.deepEqual(
        end.alarms.find((alarm) => alarm.level === level),
        { kind: 'bloat', level, step, tokens },
      )
    }
  })

  test('of tasks like those it learned from, about as many are told of as wanted', () => {
    const watch = watchAfter(300)
    const random = seededRandom(9)
    for (let at = 0; at < 1000; at++) watch.finish(`next-${at}`, ordinary(random))
    const told = (level: string) => watch.found.filter((found) => found.level === level).length
    assert.ok(told('notice') > 40 && told('notice') < 110, `${told('notice')} of 1000`)
    assert.ok(told('kill') < 25, `${told('kill')} of 1000`)
  })

  test('ending what is told of as a kill does not bring the limits down', () => {
    const watch = watchAfter(300)
    const random = seededRandom(5)
    const killed: number[] = []
    for (let at = 0; at < 3000; at++) {
      const task = `next-${at}`
      const isKilled = ordinary(random).some((input) =>
        watch.observe(call(task, input)).some(({ level }) => level === 'kill'),
      )
      watch.end(task, isKilled ? 'stopped' : 'completed')
      if (isKilled) killed.push(at)
    }
    const late = killed.filter((at) => at >= 1500).length
    assert.ok(late < 30, `${late} of the last 1500, and ${killed.length} of 3000, were ended`)
  })

  test('runaways that were stopped do not make the next one look normal', () => {
    const watch = watchAfter(200)
    for (let at = 0; at < 100; at++) {
      for (let step = 0; step < 40; step++) watch.observe(call(`stopped-${at}`, 2000 + step * 500))
      watch.end(`stopped-${at}`, at % 2 === 0 ? 'cancelled' : 'stopped')
    }
    watch.found.length = 0
    for (let step = 0; step < 40; step++) watch.observe(call('again', 2000 + step * 500))
    assert.equal(watch.found.at(-1)?.level, 'kill')
    assert.ok((watch.found.at(-1)?.step ?? 40) < 30)
  })

  test('without a finished task only amounts are judged, and none of them ends a task', () => {
    const watch = new Watch()
    for (let at = 0; at < 400; at++) watch.observe(call('first', 100_000))
    assert.deepEqual(
      watch.found.map(({ level, tokens, basis }) => [level, tokens, basis.of]),
      [
        ['notice', 500_000, 'nothing'],
        ['cheaper', 2_000_000, 'nothing'],
        ['pause', 8_000_000, 'nothing'],
      ],
    )
  })

  test('an agent without tasks of its own is held against twice what others spend', () => {
    const watch = watchAfter(200)
    const random = seededRandom(3)
    for (let at = 0; at < 5; at++) {
      for (const input of ordinary(random)) {
        watch.observe(call(`new-${at}`, input, null, { agent: 'new' }))
      }
    }
    assert.equal(watch.found.length, 0)
    for (let at = 0; at < 60; at++) {
      watch.observe(call('new-runaway', 2000 + at * 1000, null, { agent: 'new' }))
    }
    assert.equal(watch.found[0]?.basis.of, 'everyone')
  })

  test('calls that come just after the end of their task belong to it', () => {
    const watch = watchAfter(50)
    for (let at = 0; at < 8; at++) watch.observe(call('t', 5000))
    watch.detector.endTask('default', 'coder', 't', 'completed', watch.nowMs)
    const [found] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].flatMap(() =>
      watch.observe(call('t', 30_000)),
    )
    assert.ok((found?.step ?? 0) > 8)
  })

  test('a task of which no end is told is over after an hour of silence', () => {
    const watch = new Watch()
    for (let task = 0; task < 20; task++) {
      for (let at = 0; at < 10; at++) watch.observe(call(`t${task}`, 2000))
    }
    assert.equal(watch.detector.dueMs(), 10_000 + HOUR_MS)
    watch.pass(HOUR_MS)
    for (let at = 0; at < 60; at++) watch.observe(call('next', 2000))
    assert.deepEqual(watch.found[0]?.basis, { of: 'agent', finished: 20 })
    assert.equal(watch.detector.dueMs(), watch.nowMs + HOUR_MS)
  })
})
