import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { Governor } from '../../processor/src/governor/governor.ts'
import { SqliteEventLog, type SqliteLogOptions } from '../../processor/src/log/sqlite/event-log.ts'
import { Snapshots } from '../../processor/src/snapshots.ts'
import { temporaryFolder } from '../support/processor.ts'
import { usageEvent } from '../support/usage-event.ts'

function setUp(t: TestContext, options: Partial<SqliteLogOptions> = {}) {
  const path = join(temporaryFolder(t), 'events.db')
  const log = new SqliteEventLog({ path, ...options })
  t.after(() => log.close())
  const governor = new Governor()
  const count = async (calls: number) => {
    for (const entry of await log.append(Array.from({ length: calls }, () => usageEvent()))) {
      governor.apply(entry)
    }
  }
  return { path, log, governor, count }
}

async function restored(log: SqliteEventLog): Promise<Governor> {
  const state = await log.loadState()
  return Governor.restore(state?.records ?? [])
}

const letter = {
  tenant: 'default',
  source: 'log@1',
  code: 'span_too_late',
  message: 'late',
  payload: new Uint8Array(1),
  contentType: 'application/json',
} as const

test('what could not be stored is stored with the next snapshot, letters first', async (t) => {
  const { path, log, governor, count } = setUp(t)
  const onError = () => {}
  const snapshots = new Snapshots({ log, governor, intervalMs: 60_000, onError })
  t.after(() => snapshots.stop())
  await count(3)
  snapshots.keepLetter(letter)
  const other = new DatabaseSync(path)
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  await assert.rejects(snapshots.save(), { code: 'log_unavailable' })
  other.exec('ROLLBACK')
  await count(2)
  await snapshots.save()
  const read = await restored(log)
  assert.deepEqual([read.offset, read.total()], [5, governor.total()])
  assert.equal(log.stats().deadLetters, 1)
})

test('a failed snapshot is told of and tried again by itself', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { path, log, governor, count } = setUp(t)
  const errors: unknown[] = []
  const failed = Promise.withResolvers<void>()
  const onError = (error: unknown) => {
    errors.push(error)
    failed.resolve()
  }
  const snapshots = new Snapshots({ log, governor, intervalMs: 5000, onError })
  await count(1)
  const other = new DatabaseSync(path)
  other.exec('BEGIN IMMEDIATE')
  snapshots.stateChanged(1)
  t.mock.timers.tick(5000)
  await failed.promise
  other.close()
  assert.equal((errors[0] as { code?: string }).code, 'log_unavailable')
  await new Promise((resolve) => setImmediate(resolve))
  t.mock.timers.tick(5000)
  await snapshots.save()
  assert.equal((await restored(log)).offset, 1)
})

test('log is deleted only when the stored state gives the same governor again', async (t) => {
  let clock = 1_700_000_000_000
  const { path, log, governor, count } = setUp(t, { retentionMs: 1000, now: () => clock })
  const onError = () => {}
  const snapshots = new Snapshots({ log, governor, intervalMs: 60_000, onError })
  await count(10)
  await snapshots.save()
  assert.equal(log.stats().firstOffset, 1)
  clock += 5000
  const other = new DatabaseSync(path)
  t.after(() => other.close())
  other.exec("CREATE TABLE kept AS SELECT * FROM state; DELETE FROM state WHERE key LIKE 'usage-%'")
  await assert.rejects(snapshots.save(), { code: 'log_corrupt' })
  assert.equal(log.stats().firstOffset, 1)
  other.exec('INSERT OR IGNORE INTO state SELECT * FROM kept')
  await snapshots.save()
  assert.equal(log.stats().firstOffset, 10, 'the newest entry stays')
})

test('under load a snapshot does not wait for its time, so that none blocks for long', async (t) => {
  const { log, governor, count } = setUp(t)
  const onError = (error: unknown) => assert.fail(String(error))
  const snapshots = new Snapshots({ log, governor, intervalMs: 3_600_000, onError })
  t.after(() => snapshots.stop())
  await count(499)
  snapshots.stateChanged(499)
  assert.equal(await log.loadState(), null)
  await count(1)
  snapshots.stateChanged(1)
  // No timer fires in this test; a turn is all that is needed.
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal((await restored(log)).offset, 500)
})
