import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import {
  SqliteEventLog,
  type SqliteLogOptions,
} from '../../../../processor/src/log/sqlite/event-log.ts'
import { usageEvent } from '../../../support/usage-event.ts'
import { takeEntries, testEventLog } from '../event-log-contract.ts'

function temporaryFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-log-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'events.db')
}

function openAt(t: TestContext, path: string, options: Partial<SqliteLogOptions> = {}) {
  const log = new SqliteEventLog({ path, ...options })
  t.after(() => log.close())
  return log
}

testEventLog('sqlite', (t) => {
  const path = temporaryFile(t)
  let clock: number | null = null
  return {
    open: () => new SqliteEventLog({ path, now: () => clock ?? Date.now() }),
    setClock: (ms) => {
      clock = ms
    },
  }
})

const events = (count: number) => Array.from({ length: count }, () => usageEvent())
const letterOf = (bytes: number) => ({
  tenant: 'default',
  source: 'http:/v1/traces',
  code: 'otlp_malformed' as const,
  message: 'not protobuf',
  payload: new Uint8Array(bytes),
  contentType: 'application/x-protobuf',
})

test('calls of one turn share one commit, which is what makes 5,000 durable events a second cheap', async (t) => {
  const log = openAt(t, temporaryFile(t))
  const commits: number[] = []
  const following = (async () => {
    for await (const batch of log.follow(1)) commits.push(batch.length)
  })()
  await Promise.all(Array.from({ length: 100 }, () => log.append(events(10))))
  const startMs = performance.now()
  const senders = Array.from({ length: 8 }, async () => {
    for (let sent = 0; sent < 1000; sent += 100) await log.append(events(100))
  })
  await Promise.all(senders)
  const elapsedMs = performance.now() - startMs
  await log.close()
  await following
  assert.equal(commits[0], 1000)
  assert.ok(commits.length <= 1 + 10 * 2, `${commits.length} commits`)
  // A commit for each call takes far longer; the rate itself is for the bench, on a machine that does nothing else.
  assert.ok(elapsedMs < 16_000, `8,000 events took ${elapsedMs} ms`)
})

test('a locked file refuses the whole group, keeps nothing of it, and recovers by itself', async (t) => {
  const path = temporaryFile(t)
  const log = openAt(t, path)
  await log.append(events(1))
  const other = new DatabaseSync(path)
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const refused = await Promise.allSettled([
    log.append(events(2)),
    log.keepDeadLetters([letterOf(1)]),
  ])
  for (const result of refused) {
    assert.equal(result.status, 'rejected')
    assert.equal(result.reason.code, 'log_unavailable')
    assert.equal(result.reason.retryable, true)
    assert.match(result.reason.fix, /locked/)
  }
  other.exec('ROLLBACK')
  const [entry] = await log.append(events(1))
  assert.equal(entry?.offset, 2)
  assert.deepEqual(
    (await takeEntries(log, 1, 2)).map(({ offset }) => offset),
    [1, 2],
  )
  assert.equal(log.stats().deadLetters, 0)
})

test('beyond its age the log loses its oldest entries, but none newer than the verified state', async (t) => {
  let clock = 1_000_000
  const options = { retentionMs: 1000, now: () => clock }
  const log = openAt(t, temporaryFile(t), options)
  await log.append(events(10))
  clock += 500
  await log.append(events(10))
  clock += 700
  assert.equal(log.retentionDue(), true)
  assert.equal(await log.retain(20), 0, 'no state is stored yet')
  await log.saveState(20, [])
  assert.equal(await log.retain(4), 4)
  assert.equal(await log.retain(20), 6, 'the second ten are not old yet')
  assert.equal(log.retentionDue(), false)
  clock += 10_000
  assert.equal(await log.retain(20), 9, 'the newest entry stays, so that offsets go on')
  assert.deepEqual([log.stats().firstOffset, log.stats().headOffset], [20, 20])
})

test('beyond its size the log loses its oldest entries until it fits', async (t) => {
  const path = temporaryFile(t)
  const log = openAt(t, path, { retentionBytes: 2 * 1024 ** 2 })
  await log.append(events(8000))
  assert.ok(Number(log.stats().bytes) > 2 * 1024 ** 2)
  await log.saveState(8000, [])
  assert.equal(await log.retain(8000), 5000)
  assert.ok(Number(log.stats().bytes) <= 2 * 1024 ** 2)
  await assert.rejects(takeEntries(log, 1, 1), {
    code: 'log_corrupt',
    message: /entries 1 to 5000/,
  })
  assert.equal((await takeEntries(log, 5001, 3000)).length, 3000)
})

test('dead letters are bounded in number and bytes; those that make room are counted', async (t) => {
  const path = temporaryFile(t)
  const options = { deadLetterLimits: { maxLetters: 5, maxBytes: 1000 } }
  const log = openAt(t, path, options)
  for (let index = 0; index < 7; index++) await log.keepDeadLetters([letterOf(10)])
  assert.deepEqual([log.stats().deadLetters, log.stats().deadLettersDropped], [7, 2])
  await log.keepDeadLetters([letterOf(990)])
  await log.close()
  const again = openAt(t, path, options)
  assert.deepEqual([again.stats().deadLetters, again.stats().deadLettersDropped], [8, 6])
})

test('a file that a newer version wrote is refused, with what to do', (t) => {
  const path = temporaryFile(t)
  const database = new DatabaseSync(path)
  database.exec(
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT); INSERT INTO meta VALUES ('schema_version', '3')",
  )
  database.close()
  assert.throws(() => new SqliteEventLog({ path }), { code: 'state_version', fix: /newer/ })
})

test('a log of objects, as it was written before calls became compact, is read and goes on in the new form', async (t) => {
  const path = temporaryFile(t)
  const [first, second] = [usageEvent({ task: 'before' }), usageEvent({ task: 'after' })]
  const written = openAt(t, path)
  await written.append([first])
  await written.close()
  const payload = JSON.stringify(first)
  const database = new DatabaseSync(path)
  database.prepare('UPDATE events SET payload = ?').run(payload)
  database.exec("UPDATE meta SET value = '1' WHERE key = 'schema_version'")
  const log = openAt(t, path)
  await log.append([second])
  assert.deepEqual(
    (await takeEntries(log, 1, 2)).map(({ event }) => event),
    [first, second],
  )
  // An older version, which cannot read the second, refuses the file and says why.
  assert.deepEqual(
    { ...database.prepare("SELECT value FROM meta WHERE key = 'schema_version'").get() },
    { value: '2' },
  )
  database.close()
})

test('an entry that is no event is reported with its place, not skipped', async (t) => {
  const path = temporaryFile(t)
  await openAt(t, path).append(events(3))
  for (const [payload, code] of [
    ['{"type":"usage"', 'log_corrupt'],
    ['null', 'log_corrupt'],
    ['{"type":"usage","v":2}', 'state_version'],
  ] as const) {
    const database = new DatabaseSync(path)
    database.prepare('UPDATE events SET payload = ? WHERE offset = 2').run(payload)
    database.close()
    await assert.rejects(takeEntries(openAt(t, path), 1, 3), { code, message: /entry 2 / })
  }
})

test('what cannot be opened is reported with its cause', (t) => {
  const path = temporaryFile(t)
  writeFileSync(path, 'this is no database, whatever its name says. '.repeat(100))
  assert.throws(() => new SqliteEventLog({ path }), { code: 'log_corrupt' })
  const nowhere = join(path, 'nothing', 'here')
  assert.throws(() => new SqliteEventLog({ path: nowhere }), { code: 'log_unavailable' })
})

test('a full disk refuses, keeps every entry acknowledged before, and recovers when there is space', async (t) => {
  const path = temporaryFile(t)
  const log = openAt(t, path, { maxBytes: 512 * 1024 })
  let acknowledged = 0
  const fill = async () => {
    for (;;) acknowledged += (await log.append(events(50))).length
  }
  await assert.rejects(fill(), { code: 'log_unavailable', retryable: true, fix: /space/ })
  await assert.rejects(log.append(events(50)), { code: 'log_unavailable' })
  assert.equal(log.stats().headOffset, acknowledged)
  const other = new DatabaseSync(path)
  other.exec('DELETE FROM events WHERE offset <= 100')
  other.close()
  const [entry] = await log.append(events(50))
  assert.equal(entry?.offset, acknowledged + 1)
  assert.equal((await takeEntries(log, 101, acknowledged - 50)).length, acknowledged - 50)
})
