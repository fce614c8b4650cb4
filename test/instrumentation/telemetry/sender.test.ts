import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import test from 'node:test'
import type { Batch, Outcome } from '../../../instrumentation/src/telemetry/delivery.ts'
import { GATHER_MS, Sender } from '../../../instrumentation/src/telemetry/sender.ts'
import { aSpan } from './support/call.ts'

const acknowledged: Outcome = { kind: 'acknowledged', rejectedSpans: 0 }
const retry = (pace: 'fast' | 'slow', afterMs: number | null = null): Outcome => ({
  kind: 'retry',
  pace,
  afterMs,
})

type Post = {
  readonly batch: Batch
  /** Answers, and lets the time pass in which others gather. */
  answer(outcome: Outcome): Promise<void>
}

/** A sender whose requests and waits are answered by the test. */
function startSender(limits = { maxSpans: 10_000, maxBytes: 16 * 1024 * 1024 }) {
  const posts: Post[] = []
  const waits: { readonly delayMs: number; readonly over: () => void }[] = []
  const gathering: (() => void)[] = []
  const gathered = async () => {
    gathering.shift()?.()
    await setImmediate()
  }
  const sender = new Sender({
    guardId: 'guard-0001',
    journal: null,
    limits,
    deliver: (batch) =>
      new Promise((resolve) => {
        posts.push({
          batch,
          answer: async (outcome) => {
            resolve(outcome)
            await setImmediate()
            await gathered()
          },
        })
      }),
    wait: (delayMs) =>
      new Promise((over) => {
        if (delayMs === GATHER_MS) gathering.push(over)
        else waits.push({ delayMs, over })
      }),
  })
  const add = async (...spans: number[]) => {
    for (const n of spans) sender.add(aSpan(n))
    await setImmediate()
  }
  const next = (): Post => {
    const post = posts.shift()
    assert.ok(post, 'a request is under way')
    return post
  }
  return { sender, posts, waits, add, next }
}

const idsOf = ({ batch }: Pick<Post, 'batch'>) =>
  batch.spans.map(({ json }) => parseInt((JSON.parse(json) as { spanId: string }).spanId, 16))

test('the first span goes at once, and those that come until shortly after it go together in the next request', async () => {
  const posts: Batch[] = []
  const answers: ((outcome: Outcome) => void)[] = []
  const waits: (() => void)[] = []
  const sender = new Sender({
    guardId: 'guard-0001',
    journal: null,
    deliver: (batch) => {
      posts.push(batch)
      return new Promise((resolve) => answers.push(resolve))
    },
    wait: () => new Promise((over) => waits.push(over)),
  })
  const step = async (act: () => void) => {
    act()
    await setImmediate()
  }
  await step(() => sender.add(aSpan(1)))
  await step(() => sender.add(aSpan(2)))
  await step(() => answers.shift()?.(acknowledged))
  await step(() => sender.add(aSpan(3)))
  assert.equal(posts.length, 1)
  await step(() => waits.shift()?.())
  assert.deepEqual(
    posts.map((batch) => idsOf({ batch })),
    [[1], [2, 3]],
  )
})

test('what comes while a request is under way goes together in the next one', async () => {
  const { add, next, posts, sender } = startSender()
  await add(1)
  const first = next()
  assert.deepEqual(idsOf(first), [1])
  await add(2)
  await add(3, 4)
  assert.equal(posts.length, 0)
  await first.answer(acknowledged)
  const second = next()
  assert.deepEqual(idsOf(second), [2, 3, 4])
  await second.answer(acknowledged)
  assert.equal(sender.stats().buffered, 0)
  assert.equal(sender.stats().acknowledged, 4)
})

test('a span that comes in the very turn in which the last one is acknowledged is sent too', async () => {
  for (let microtasks = 0; microtasks < 20; microtasks++) {
    const { add, next, sender, posts } = startSender()
    await add(1)
    let turn = Promise.resolve()
    for (let n = 0; n < microtasks; n++) turn = turn.then(() => {})
    void turn.then(() => sender.add(aSpan(2)))
    await next().answer(acknowledged)
    await setImmediate()
    assert.deepEqual(posts.map(idsOf), [[2]], `${microtasks} microtasks after the answer`)
  }
})

test('a request holds at most 512 spans', async () => {
  const { add, next } = startSender()
  await add(...Array(1200).keys())
  const sizes: number[] = []
  for (let n = 0; n < 3; n++) {
    const post = next()
    sizes.push(post.batch.spans.length)
    await post.answer(acknowledged)
  }
  assert.deepEqual(sizes, [512, 512, 176])
})

test('a receiver that is away is asked again ever more slowly, and gets every span when it is back', async () => {
  const { add, next, waits, sender } = startSender()
  await add(1, 2)
  const delaysMs: number[] = []
  for (let n = 0; n < 12; n++) {
    await next().answer(retry('fast'))
    const wait = waits.shift()
    assert.ok(wait)
    delaysMs.push(wait.delayMs)
    if (n === 5) await add(3)
    wait.over()
    await setImmediate()
  }
  for (const [n, delayMs] of delaysMs.entries()) {
    const fullMs = Math.min(200 * 2 ** n, 5000)
    assert.ok(delayMs >= fullMs / 2 && delayMs <= fullMs, `wait ${n}: ${delayMs} ms`)
  }
  const last = next()
  assert.deepEqual(idsOf(last), [1, 2, 3])
  await last.answer(acknowledged)
  await add(4)
  await next().answer(retry('fast'))
  assert.ok((waits.shift()?.delayMs ?? Infinity) <= 200, 'after a success it begins anew')
  assert.equal(sender.stats().dropped, 0)
})

test('a receiver that turns us away is asked more slowly, and one that says when is asked then', async () => {
  const { add, next, waits } = startSender()
  await add(1)
  await next().answer(retry('slow'))
  const first = waits.shift()
  assert.ok(first && first.delayMs >= 500, 'half of a second at least')
  first.over()
  await setImmediate()
  await next().answer(retry('fast', 7_000))
  assert.equal(waits.shift()?.delayMs, 7_000)
})

test('a receiver that refuses everything is not asked as fast as it can refuse', async () => {
  const { add, next, waits, sender, posts } = startSender()
  await add(1, 2)
  for (let n = 0; n < 3; n++) await next().answer({ kind: 'refused' }) // both, then each alone
  assert.equal(sender.stats().dropped, 2)
  await add(3)
  assert.equal(posts.length, 0)
  assert.equal(waits.length, 1)
})

test('a full buffer takes no more, counts what it refuses, and the next request tells it', async () => {
  const { add, next, sender } = startSender({ maxSpans: 3, maxBytes: Infinity })
  await add(1, 2, 3, 4, 5)
  assert.equal(sender.stats().buffered, 3)
  assert.equal(sender.stats().dropped, 2)
  const first = next()
  assert.deepEqual(idsOf(first), [1, 2, 3])
  assert.equal(first.batch.droppedSpans, 2)
  await first.answer(acknowledged)
  await add(6)
  assert.equal(next().batch.droppedSpans, 2)
})

test('what the receiver has rejected for good counts as told, and as rejected', async () => {
  const { add, next, sender } = startSender()
  await add(1, 2, 3)
  await next().answer({ kind: 'acknowledged', rejectedSpans: 1 })
  const { acknowledged: told, rejected, buffered, dropped } = sender.stats()
  assert.deepEqual(
    { told, rejected, buffered, dropped },
    { told: 3, rejected: 1, buffered: 0, dropped: 0 },
  )
})

test('memory for unsent spans is bounded in bytes', async () => {
  const { sender } = startSender({ maxSpans: Infinity, maxBytes: 10_000 })
  const span = aSpan(1)
  for (let n = 0; n < 100; n++) sender.add(span)
  assert.equal(sender.stats().buffered, Math.floor(10_000 / span.bytes))
  assert.equal(sender.stats().dropped, 100 - Math.floor(10_000 / span.bytes))
})
