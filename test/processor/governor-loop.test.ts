import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { LogEntry } from '@tokenfuse/protocol'
import type { Effect } from '../../processor/src/governor/effect.ts'
import { GovernorLoop } from '../../processor/src/governor-loop.ts'
import { SqliteEventLog } from '../../processor/src/log/sqlite/event-log.ts'
import { temporaryFolder } from '../support/processor.ts'
import { usageEvent } from '../support/usage-event.ts'

const IGNORE = { applied: () => {}, batchApplied: () => {} }

function openLog(t: TestContext, path = join(temporaryFolder(t), 'events.db')) {
  const log = new SqliteEventLog({ path })
  t.after(() => log.close())
  return { path, log }
}

test('every entry is applied once, in order, and whoever submitted it reads it', async (t) => {
  const { log } = openLog(t)
  const loop = await GovernorLoop.restore(log)
  const applied: [offset: number, effect: string | undefined, isNew: boolean][] = []
  const running = loop.run({
    ...IGNORE,
    applied: (entry: LogEntry, effects: readonly Effect[], isNew: boolean) =>
      applied.push([entry.offset, effects[0]?.type, isNew]),
  })
  const event = usageEvent()
  const reads = await Promise.all(
    [event, usageEvent(), event].map(async (one) => {
      const [entry] = await loop.submit([one])
      return loop.governor.offset >= (entry?.offset ?? Infinity)
    }),
  )
  assert.deepEqual(reads, [true, true, true])
  assert.deepEqual(applied, [
    [1, 'counted', true],
    [2, 'counted', true],
    [3, 'duplicate', true],
  ])
  await log.close()
  await running
})

test('after a restart it reads on from the snapshot, and tells what is old from what is new', async (t) => {
  const { path, log } = openLog(t)
  const first = await GovernorLoop.restore(log)
  const running = first.run(IGNORE)
  await first.submit([usageEvent(), usageEvent()])
  await log.saveState(first.governor.offset, first.governor.changes())
  await first.submit([usageEvent()])
  await log.close()
  await running
  const again = openLog(t, path)
  const second = await GovernorLoop.restore(again.log)
  assert.equal(second.governor.offset, 2)
  const applied: [offset: number, isNew: boolean][] = []
  const ended = second.run({
    ...IGNORE,
    applied: (entry, _, isNew) => applied.push([entry.offset, isNew]),
  })
  await second.caughtUp()
  await second.submit([usageEvent()])
  assert.deepEqual(applied, [
    [3, false],
    [4, true],
  ])
  assert.deepEqual(second.governor.total().calls, 4)
  await again.log.close()
  await ended
})

test('an entry that cannot be applied ends the loop: nothing after it is applied or waited for', async (t) => {
  const { log } = openLog(t)
  const loop = await GovernorLoop.restore(log)
  const bug = new Error('a bug')
  const running = loop.run({
    ...IGNORE,
    applied: (entry) => {
      if (entry.offset === 2) throw bug
    },
  })
  const first = loop.submit([usageEvent()])
  const failing = loop.submit([usageEvent(), usageEvent()])
  const settled = await Promise.allSettled([running, first, failing, loop.submit([usageEvent()])])
  assert.equal(settled[0].status, 'rejected')
  assert.equal(settled[2].status === 'rejected' && settled[2].reason, bug)
  assert.equal(settled[3].status, 'rejected')
  await assert.rejects(loop.submit([usageEvent()]), bug)
  assert.equal(loop.governor.offset, 2)
})
