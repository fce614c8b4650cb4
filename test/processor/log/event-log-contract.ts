import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { LogEntry, LogEvent } from '@tokenfuse/protocol'
import type { EventLog } from '../../../processor/src/log/port.ts'
import { usageEvent } from '../../support/usage-event.ts'

/** A store that outlives the log opened on it, so that a test can close the log and open it again. */
export type OpenLog = (t: TestContext) => {
  open: () => EventLog | Promise<EventLog>
  setClock: (ms: number) => void
}

export async function takeEntries(log: EventLog, from: number, count: number): Promise<LogEntry[]> {
  const taken: LogEntry[] = []
  if (count === 0) return taken
  for await (const batch of log.follow(from)) {
    taken.push(...batch)
    if (taken.length >= count) return taken
  }
  throw new Error(`the log ended after ${taken.length} of ${count} entries`)
}

const event = (task: string): LogEvent => usageEvent({ task })
const taskOf = (entry: LogEntry) => (entry.event.type === 'usage' ? entry.event.task : null)

/** What every adapter of the port must hold. */
export type ContractOptions = {
  /** Of the properties: fewer where a log takes long to open. */
  readonly runs?: number
  /** Whether the log deletes what is old when it is told to, and not by settings of its store. */
  readonly deletesWhenTold?: boolean
}

/** What every adapter of the port must hold. */
export function testEventLog(name: string, openLog: OpenLog, options: ContractOptions = {}): void {
  const { runs = 15, deletesWhenTold = true } = options
  test(`${name}: calls made together get contiguous offsets, in order, each call in one piece`, async (t) => {
    const log = await openLog(t).open()
    t.after(() => log.close())
    const answers = await Promise.all([
      log.append([event('a'), event('b')]),
      log.append([]),
      log.append([event('c')]),
    ])
    assert.deepEqual(
      answers.map((entries) => entries.map((entry) => [entry.offset, taskOf(entry)])),
      [
        [
          [1, 'a'],
          [2, 'b'],
        ],
        [],
        [[3, 'c']],
      ],
    )
  })

  test(`${name}: what was appended is there, once and unchanged, after it is opened again`, async (t) => {
    const { open } = openLog(t)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.string({ unit: 'binary', minLength: 1 }), { maxLength: 5 }), {
          maxLength: 5,
        }),
        async (calls) => {
          const first = await open()
          const before = first.stats().headOffset
          const written = await Promise.all(calls.map((tasks) => first.append(tasks.map(event))))
          await first.close()
          const second = await open()
          const read = await takeEntries(second, before + 1, written.flat().length)
          await second.close()
          assert.deepEqual(read, written.flat())
        },
      ),
      { numRuns: runs },
    )
  })

  test(`${name}: log time never goes backwards, whatever the wall clock does`, async (t) => {
    const { open, setClock } = openLog(t)
    const first = await open()
    setClock(5000)
    await first.append([event('a')])
    setClock(3000)
    await first.append([event('b')])
    await first.close()
    setClock(1000)
    const second = await open()
    t.after(() => second.close())
    await second.append([event('c')])
    setClock(6000)
    await second.append([event('d')])
    const times = (await takeEntries(second, 1, 4)).map((entry) => entry.logTimeMs)
    assert.deepEqual(times, [5000, 5000, 5000, 6000])
  })

  test(`${name}: a follower sees what is stored, then what comes, without gap or repeat`, async (t) => {
    const log = await openLog(t).open()
    t.after(() => log.close())
    await log.append(Array.from({ length: 2500 }, (_, index) => event(`old-${index}`)))
    const following = takeEntries(log, 1, 15_000)
    // More in one commit than is held for a follower, and then many small ones while it catches up.
    await log.append(Array.from({ length: 12_000 }, (_, index) => event(`bulk-${index}`)))
    for (let index = 0; index < 500; index++) void log.append([event(`new-${index}`)])
    const entries = await following
    assert.deepEqual(
      entries.map((entry) => entry.offset),
      Array.from({ length: 15_000 }, (_, index) => index + 1),
    )
    assert.equal(taskOf(entries[14_999] as LogEntry), 'new-499')
  })

  test(`${name}: closing ends its followers`, async (t) => {
    const log = await openLog(t).open()
    const ended = (async () => {
      for await (const batch of log.follow(1)) assert.fail(`unexpected ${batch.length} entries`)
    })()
    await log.close()
    await ended
  })

  test(`${name}: state and the offset it came from are stored together and replaced row by row`, async (t) => {
    const { open } = openLog(t)
    const first = await open()
    assert.equal(await first.loadState(), null)
    await first.append([event('a'), event('b')])
    await first.saveState(1, [
      { key: 'x', value: '1' },
      { key: 'y', value: '2' },
    ])
    await first.saveState(2, [
      { key: 'x', value: null },
      { key: 'z', value: '3' },
    ])
    await first.close()
    const second = await open()
    t.after(() => second.close())
    const state = await second.loadState()
    assert.equal(state?.offset, 2)
    assert.deepEqual(Object.fromEntries(state.records), { y: '2', z: '3' })
    await assert.rejects(second.saveState(1, []), RangeError)
  })

  test(`${name}: a dead letter of one place in a log is kept once, others each time`, async (t) => {
    const log = await openLog(t).open()
    t.after(() => log.close())
    const letter = {
      tenant: 'default',
      code: 'otlp_malformed' as const,
      message: 'not protobuf',
      payload: new Uint8Array([1, 2, 3]),
      contentType: 'application/x-protobuf',
    }
    await log.keepDeadLetters([{ ...letter, source: 'log@7' }])
    await log.keepDeadLetters([
      { ...letter, source: 'log@7' },
      { ...letter, source: 'http:/v1/traces' },
      { ...letter, source: 'http:/v1/traces' },
    ])
    assert.equal(log.stats().deadLetters, 3)
  })

  test(`${name}: a call that a guard refused is found by its verdict's id until the log lets it go`, async (t) => {
    const { open, setClock } = openLog(t)
    const log = await open()
    t.after(() => log.close())
    const refusal = {
      reason: 'nothing is left',
      budget: 'all',
      scope: '*',
      unit: 'tokens' as const,
      limit: '10',
      spent: '9',
      needed: '5',
    }
    const verdict = { action: 'block', reserve: null, cap: null, decision: 'guard-1-7', refusal }
    const refused = usageEvent({ verdict })
    // One that was refused for a decision of the governor is explained by that decision.
    const blocked = usageEvent({ verdict: { ...verdict, decision: 'd3-0', refusal: undefined } })
    setClock(1000)
    await log.append([event('a'), refused, blocked, refused])
    assert.deepEqual(await log.refusedCall('guard-1-7'), {
      offset: 2,
      logTimeMs: 1000,
      event: refused,
    })
    assert.equal(await log.refusedCall('d3-0'), null)
    if (!deletesWhenTold) return
    setClock(100 * 86_400_000)
    await log.append([event('b')])
    await log.saveState(5, [])
    await log.retain(5)
    assert.equal(await log.refusedCall('guard-1-7'), null)
  })
}
