import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { SpoolJournal } from '../../../../instrumentation/src/telemetry/spool/spool-journal.ts'
import type { Kept } from '../../../../instrumentation/src/telemetry/spool/spool-journal.ts'
import { aSpan, spanId } from '../support/call.ts'
import { spooledIds, spoolFiles, temporaryFolder } from '../support/spool.ts'

const MEGABYTE = 1024 * 1024

function journalIn(t: TestContext, maxFolderBytes?: number) {
  const directory = join(temporaryFolder(t), 'spool')
  const journal = new SpoolJournal({
    folder: { directory, chosen: true },
    findDestination: () => '0123456789abcdef',
    guardId: 'guard-0001',
    ...(maxFolderBytes !== undefined && { maxFolderBytes }),
  })
  const append = (n: number): Kept => {
    const span = aSpan(n)
    return { span, segment: journal.append(span) }
  }
  const settle = ({ segment }: Kept) => {
    assert.ok(segment)
    journal.settle(segment)
  }
  return { directory, journal, append, settle }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

test('a span is on disk when it was recorded, readable by its owner alone', (t) => {
  const { directory, append } = journalIn(t)
  append(1)
  append(2)
  const [file, ...others] = spoolFiles(directory)
  assert.deepEqual(file?.spanIds, [spanId(1), spanId(2)])
  assert.equal(file?.state, 'live')
  assert.equal(file?.mode, 0o600)
  assert.equal(statSync(directory).mode & 0o777, 0o700)
  assert.deepEqual(others, [])
})

test('settled spans leave the disk, so that a journal stays as small as what is unsettled', (t) => {
  const { directory, append, settle } = journalIn(t)
  for (const n of range(0, 50)) settle(append(n))
  assert.deepEqual(spooledIds(directory), [])
  const kept = append(50)
  assert.deepEqual(spooledIds(directory), [spanId(50)])
  settle(kept)
  assert.deepEqual(spooledIds(directory), [])
})

test('a journal that is never empty gives up its files one by one', (t) => {
  const { directory, append, settle } = journalIn(t)
  const unsettled: Kept[] = []
  for (const n of range(0, 6000)) {
    unsettled.push(append(n))
    const oldest = unsettled.length > 100 ? unsettled.shift() : undefined
    if (oldest) settle(oldest)
  }
  const files = spoolFiles(directory)
  assert.ok(files.length <= 2, `${files.length} files`)
  for (const { name } of files) {
    assert.ok(statSync(join(directory, name)).size <= MEGABYTE, name)
  }
})

test('at the end exactly the unsettled spans are left, for anyone to take', (t) => {
  const { directory, journal, append, settle } = journalIn(t)
  const all = range(0, 3000).map(append)
  for (const kept of all.slice(0, 2950)) settle(kept)
  assert.equal(journal.close(all.slice(2950)), 50)
  assert.deepEqual(
    spoolFiles(directory).map(({ state }) => state),
    ['spool'],
  )
  assert.deepEqual(spooledIds(directory), range(2950, 3000).map(spanId))
})

test('at the end nothing is left where nothing is unsettled', (t) => {
  const { directory, journal, append, settle } = journalIn(t)
  settle(append(1))
  assert.equal(journal.close([]), 0)
  assert.deepEqual(readdirSync(directory), [])
})

test('a full folder refuses what is new, keeps what is old, and takes on again when there is room', (t) => {
  const { directory, journal, append } = journalIn(t, 64 * 1024)
  mkdirSync(directory)
  const others = join(directory, '0123456789abcdef.00000000.1.guard-0002-1.spool')
  writeFileSync(others, 'x'.repeat(64 * 1024))
  const refused = [append(1), append(2)]
  assert.deepEqual(
    refused.map(({ segment }) => segment),
    [null, null],
  )
  assert.equal(statSync(others).size, 64 * 1024)
  rmSync(others)
  assert.equal(journal.close(refused), 2, 'the last chance at the end is taken')
  assert.deepEqual(spooledIds(directory), [spanId(1), spanId(2)])
})

test('no room at the end for what was settled and what was not: what is on disk already stays', (t) => {
  const { directory, journal, append, settle } = journalIn(t, 6 * aSpan(1).bytes)
  const all = range(0, 5).map(append)
  settle(all[0] ?? assert.fail())
  mkdirSync(directory, { recursive: true })
  writeFileSync(
    join(directory, '0123456789abcdef.00000000.1.guard-0002-1.spool'),
    'x'.repeat(6 * aSpan(1).bytes),
  )
  assert.equal(journal.close(all.slice(1)), 4)
  const left = spoolFiles(directory).filter(({ spanIds }) => spanIds.length > 0)
  assert.deepEqual(
    left.map(({ state }) => state),
    ['spool'],
  )
  for (const n of range(1, 5)) assert.ok(left[0]?.spanIds.includes(spanId(n)))
})

test('a disk that does not play along costs nothing but the keeping', (t) => {
  const { directory, journal, append } = journalIn(t)
  writeFileSync(directory, 'a file where the folder should be')
  const kept = append(1)
  assert.equal(kept.segment, null)
  assert.equal(append(2).segment, null)
  assert.equal(journal.close([kept]), 0)
})

test('a folder in the common temporary one that others can write to is not used', (t) => {
  const directory = join(temporaryFolder(t), 'spool')
  mkdirSync(directory)
  chmodSync(directory, 0o777)
  const journal = new SpoolJournal({
    folder: { directory, chosen: false },
    findDestination: () => '0123456789abcdef',
    guardId: 'guard-0001',
  })
  assert.equal(journal.append(aSpan(1)), null)
  assert.deepEqual(readdirSync(directory), [])
})

test('what a guard has left is read in the order in which it was recorded, however many files it fills', (t) => {
  const { directory, journal, append } = journalIn(t)
  const count = Math.ceil((11 * MEGABYTE) / aSpan(1).bytes)
  const all = range(0, count).map(append)
  journal.close(all)
  assert.ok(readdirSync(directory).length > 10)
  assert.deepEqual(spooledIds(directory), range(0, count).map(spanId))
})
