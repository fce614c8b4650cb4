import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { call, HOUR_MS, Watch } from './calls.ts'

const span = (at: number): string => at.toString(16).padStart(16, '0')

/** A call of a sub-agent of task `root`, with a context of its own. */
const childCall = (child: number, input = 3000) =>
  call('root', input, null, { agent: 'helper', parentSpanId: span(child + 1) })

suite('fan-out', () => {
  test('one call that sets 905 sub-agents to work is stopped while they are few', () => {
    const watch = new Watch()
    watch.observe(call('root', 4000))
    for (let child = 0; child < 905; child++) watch.observe(childCall(child, 3000 - child))
    const found = watch.found.filter(({ kind }) => kind === 'fan-out')
    assert.deepEqual(
      found.map(({ level, evidence }) => [level, evidence[0]?.rule, evidence[0]?.value]),
      [
        ['notice', 'children', 20],
        ['cheaper', 'children', 50],
        ['pause', 'children', 100],
        ['kill', 'children', 200],
      ],
    )
    assert.equal(found[0]?.agent, 'coder')
    assert.equal(found[0].run, 'root')
  })

  test('a root that always has thirty sub-agents may have them', () => {
    const watch = new Watch()
    for (let trace = 0; trace < 25; trace++) {
      const task = `root-${trace}`
      const traceId = span(trace).repeat(2)
      watch.observe(call(task, 4000, null, { traceId }))
      for (let child = 0; child < 30; child++) {
        watch.observe(
          call(task, 3000 - child, null, {
            traceId,
            agent: 'helper',
            parentSpanId: span(child + 1),
          }),
        )
      }
      watch.pass(2 * HOUR_MS)
    }
    const early = watch.found.filter(({ kind }) => kind === 'fan-out').length
    assert.equal(early, 20, 'told of until twenty traces are known')
  })

  test('steps with a parent span of their own that continue one conversation are no sub-agents', () => {
    const watch = new Watch()
    for (let at = 0; at < 100; at++) {
      watch.observe(call('root', 1000 + at * 10, null, { parentSpanId: span(at + 1) }))
    }
    assert.deepEqual(
      watch.found.filter(({ kind }) => kind === 'fan-out'),
      [],
    )
  })

  test('tasks that one process works at below one inherited span are no sub-agents of each other', () => {
    const watch = new Watch()
    const traceId = span(7).repeat(2)
    for (let at = 0; at < 300; at++) {
      watch.observe(call(`t${at}`, 5000 - at, null, { traceId, parentSpanId: span(1) }))
    }
    assert.deepEqual(watch.found, [])
  })

  test('agents that call agents that call agents are told of by their depth', () => {
    const watch = new Watch()
    for (let depth = 0; depth < 13; depth++) {
      watch.observe(
        call('root', 3000, null, {
          agent: `level-${depth}`,
          spanId: span(depth + 1),
          parentSpanId: depth === 0 ? null : span(depth),
        }),
      )
    }
    assert.deepEqual(
      watch.found.map(({ level, evidence }) => [level, evidence[0]?.rule, evidence[0]?.value]),
      [
        ['notice', 'depth', 4],
        ['cheaper', 'depth', 6],
        ['pause', 'depth', 8],
        ['kill', 'depth', 12],
      ],
    )
  })

  test('the tokens of all of a root are judged together', () => {
    const watch = new Watch()
    watch.observe(call('root', 4000))
    for (let at = 0; at < 30; at++) watch.observe(childCall(at % 4, 300_000 - at))
    const found = watch.found.filter(({ kind }) => kind === 'fan-out')
    assert.equal(found[0]?.evidence[0]?.rule, 'trace_tokens')
    assert.ok(found[0].tokens >= 2_000_000)
  })
})
