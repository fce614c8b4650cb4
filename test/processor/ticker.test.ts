import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { LogEvent } from '@tokenfuse/protocol'
import { Ticker } from '../../processor/src/ticker.ts'

function setUp(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 })
  const governor = {
    due: null as number | null,
    tickDueMs: () => governor.due,
    logTimeMs: 0,
    stateHash: 'abc',
    offset: 7,
  }
  const ticks: { atMs: number; events: readonly LogEvent[] }[] = []
  let failure: Error | null = null
  let aheadMs = 0
  const errors: unknown[] = []
  const ticker = new Ticker({
    governor,
    now: () => Date.now() + aheadMs,
    submit: async (events) => {
      if (failure) throw failure
      ticks.push({ atMs: Date.now(), events })
    },
    onError: (error) => errors.push(error),
  })
  t.after(() => ticker.stop())
  /** Moves time in small steps, with a turn for what is awaited after each. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      t.mock.timers.tick(100)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const fail = (error: Error | null) => {
    failure = error
  }
  const setForward = (ms: number) => {
    aheadMs += ms
  }
  return { governor, ticker, ticks, errors, pass, fail, setForward }
}

test('nothing due, no tick', async (t) => {
  const { ticker, ticks, pass } = setUp(t)
  ticker.stateChanged()
  await pass(5000)
  assert.deepEqual(ticks, [])
})

test('a tick comes when something is due, with the state it was decided on', async (t) => {
  const { governor, ticker, ticks, pass } = setUp(t)
  governor.due = 1_030_000
  ticker.stateChanged()
  await pass(29_900)
  assert.equal(ticks.length, 0)
  await pass(200)
  assert.equal(ticks.length, 1)
  const [event] = ticks[0]?.events ?? []
  assert.deepEqual(event, {
    type: 'tick',
    v: 1,
    tenant: 'default',
    governorVersion: '1',
    stateHash: 'abc',
    stateOffset: 7,
  })
})

test('however often the state changes, ticks are a second apart', async (t) => {
  const { governor, ticker, ticks, pass } = setUp(t)
  governor.due = 0
  for (let passed = 0; passed < 5000; passed += 100) {
    ticker.stateChanged()
    await pass(100)
  }
  assert.equal(ticks.length, 5)
})

test('what becomes due earlier than was known is ticked in time', async (t) => {
  const { governor, ticker, ticks, pass } = setUp(t)
  governor.due = 1_600_000
  ticker.stateChanged()
  await pass(2000)
  governor.due = 1_005_000
  ticker.stateChanged()
  await pass(3500)
  assert.equal(ticks.length, 1)
})

test('a tick that cannot be written is tried again', async (t) => {
  const { governor, ticker, ticks, errors, pass, fail } = setUp(t)
  governor.due = 0
  fail(new Error('disk full'))
  ticker.stateChanged()
  await pass(2500)
  assert.equal(errors.length, 2)
  fail(null)
  await pass(1000)
  assert.equal(ticks.length, 1)
})

test('what came due while the clock was set forward, or the machine slept, is looked at with the next event', async (t) => {
  const { governor, ticker, ticks, pass, setForward } = setUp(t)
  governor.due = 1_600_000
  ticker.stateChanged()
  await pass(2000)
  // The timer waits for 598 s more.
  setForward(598_000)
  ticker.stateChanged()
  await pass(200)
  assert.equal(ticks.length, 1)
})
