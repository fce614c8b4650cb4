import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Detection } from '../../../../processor/src/governor/detect/detection.ts'
import { call, Watch } from './calls.ts'

type Turn = readonly [call: string, result: string]

/** What is found of a task whose calls tell of these turns, each call of so many tokens. */
function find(turns: readonly Turn[], tokens = 5000): Detection[] {
  const watch = new Watch()
  watch.observe(call('t', tokens))
  for (const turn of turns) watch.observe(call('t', tokens, turn))
  return watch.found.filter(({ kind }) => kind === 'repetition')
}

const repeat = (turns: readonly Turn[], times: number): Turn[] =>
  Array.from({ length: times }, () => turns).flat()

const levels = (found: readonly Detection[]) => found.map(({ level }) => level)

suite('repetition', () => {
  test('the same command 300 times is told of at the 5th time and ended long before the 300th', () => {
    const found = find(repeat([['npm test', 'failed']], 300))
    assert.deepEqual(levels(found), ['notice', 'cheaper', 'pause', 'kill'])
    assert.equal(found[0]?.step, 6)
    assert.ok((found[3]?.step ?? 300) < 30)
    assert.deepEqual(found[0]?.evidence[0], { rule: 'loop_rounds', value: 5, limit: 5 })
  })

  test('a poll that brings something new each time is no loop', () => {
    assert.deepEqual(find(Array.from({ length: 100 }, (_, at) => ['status', `${at} % done`])), [])
  })

  test('scrolling down through different text is no loop', () => {
    const turns = Array.from({ length: 40 }, (_, at): Turn => ['scroll_down', `page ${at}`])
    assert.deepEqual(find(turns), [])
  })

  test('one call told again and again with a new argument is no loop', () => {
    assert.deepEqual(find(Array.from({ length: 40 }, (_, at): Turn => [`ls ${at}`, `${at}`])), [])
  })

  for (const period of [2, 3, 4, 5]) {
    test(`a loop of ${period} turns is told of in its 3rd round`, () => {
      const round = Array.from({ length: period }, (_, at): Turn => [`c${at}`, `r${at}`])
      const [first] = find(repeat(round, 3))
      assert.equal(first?.level, 'notice')
      assert.equal(first.step, 1 + 3 * period)
      const rounds = first.evidence.find(({ rule }) => rule === 'loop_rounds')
      assert.deepEqual(rounds, { rule: 'loop_rounds', value: 3, limit: 3 })
      assert.deepEqual(find(repeat(round, 3).slice(0, -1)), [])
    })
  }

  test('A B A B is told of, and A B A B with another result each time is not', () => {
    const rounds = repeat(
      [
        ['a', '1'],
        ['b', '2'],
      ],
      4,
    )
    assert.deepEqual(levels(find(rounds)), ['notice', 'cheaper'])
    assert.deepEqual(
      find(Array.from({ length: 20 }, (_, at): Turn => [at % 2 === 0 ? 'a' : 'b', `${at}`])),
      [],
    )
  })

  test('the same call with the same result between others is told of at the 6th time of 25', () => {
    const turns = Array.from({ length: 12 }, (_, at): Turn[] => [
      ['git status', 'clean'],
      [`edit ${at}`, `${at}`],
    ]).flat()
    const [first] = find(turns)
    assert.equal(first?.step, 12)
    assert.equal(first.evidence[0]?.rule, 'same_call_and_result')
  })

  test('parallel calls of one turn are one turn, in whatever order they are told of', () => {
    const watch = new Watch()
    for (let turn = 0; turn < 5; turn++) {
      const order = turn % 2 === 0 ? [0, 1, 2] : [2, 0, 1]
      watch.observe(
        call('t', 5000, null, {
          toolCallKeys: order.map((at) => `c${at}`),
          toolResultKeys: order.map((at) => `r${at}`),
        }),
      )
    }
    assert.deepEqual(levels(watch.found), ['notice'])
    assert.equal(watch.found[0]?.step, 5)
  })

  test('twenty equal calls in parallel are one turn and no loop', () => {
    const watch = new Watch()
    const same = (name: string) => Array.from({ length: 20 }, () => name)
    watch.observe(call('t', 5000, null, { toolCallKeys: same('c'), toolResultKeys: same('r') }))
    assert.deepEqual(watch.found, [])
  })

  test('results without their calls have to repeat twice as often', () => {
    const watch = new Watch()
    for (let turn = 0; turn < 10; turn++) {
      watch.observe(call('t', 5000, null, { toolResultKeys: ['ok'] }))
    }
    assert.deepEqual(
      watch.found.map(({ level, step }) => [level, step]),
      [['notice', 10]],
    )
  })

  test('a loop that costs next to nothing is told of, and not stopped', () => {
    assert.deepEqual(levels(find(repeat([['wait', 'pending']], 300), 20)), ['notice', 'cheaper'])
  })

  test('a loop of one task says nothing of another that does the same', () => {
    const watch = new Watch()
    for (let at = 0; at < 40; at++) watch.observe(call(`t${at % 20}`, 5000, ['a', 'b']))
    assert.deepEqual(watch.found, [])
  })

  test('sub-agents of one task that do the same side by side are no loop', () => {
    const watch = new Watch()
    for (let at = 0; at < 40; at++) {
      watch.observe(call('t', 5000, ['a', 'b'], { agent: `coder-${at % 20}` }))
    }
    assert.deepEqual(
      watch.found.filter(({ kind }) => kind === 'repetition'),
      [],
    )
  })
})
