import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { recordedFile } from '../../../processor/src/backtest/recorded-file.ts'
import { readLine, type RecordedLine } from '../../../processor/src/backtest/recorded-line.ts'
import { temporaryFolder } from '../../support/processor.ts'
import { usageEvent } from '../../support/usage-event.ts'

const taskEnd = {
  type: 'task.end',
  v: 1,
  tenant: 'default',
  task: 't',
  agent: 'a',
  taskType: null,
  outcome: 'completed',
  time: '2026-06-01T00:00:00.000Z',
}
const LINES = [
  JSON.stringify(usageEvent({ tags: { a: '\n"\u2028' } })),
  JSON.stringify(usageEvent({ user: 'Zo\u00eb \u{1f98a}', callers: [{ agent: 'b', task: 'c' }] })),
  JSON.stringify({ ...usageEvent(), tenant: '' }),
  JSON.stringify(taskEnd),
  JSON.stringify({ type: 'tick' }),
  '{"type":"-\\n"}',
  '',
  ' \r',
  'nonsense',
  '"',
  '[2,1,[],[]]',
  '-',
]

async function readAll(path: string) {
  const read: RecordedLine[] = []
  const bytes: number[] = []
  for await (const { lines, readBytes, totalBytes } of recordedFile(path)) {
    read.push(...lines)
    assert.ok(readBytes <= totalBytes)
    bytes.push(readBytes)
  }
  return { read, bytes }
}

function fileOf(t: TestContext, text: string): string {
  const path = join(temporaryFolder(t), 'events.jsonl')
  writeFileSync(path, text)
  return path
}

test('a long file is read in order and to its end, and how far is told', async (t) => {
  // Some megabytes, which come in several pieces.
  const lines = Array.from({ length: 3000 }, (_, index) =>
    index % 100 === 7
      ? (LINES[Math.floor(index / 100) % LINES.length] ?? '')
      : JSON.stringify(usageEvent({ step: index })),
  )
  const text = lines.join('\n')
  const { read, bytes } = await readAll(fileOf(t, text))
  assert.deepEqual(read, lines.map(readLine))
  assert.ok(bytes.length >= 2, `${bytes.length} pieces`)
  assert.deepEqual(
    bytes,
    bytes.toSorted((a, b) => a - b),
  )
  assert.equal(bytes.at(-1), Buffer.byteLength(text))
})

test('an empty file has no lines', async (t) => {
  assert.deepEqual((await readAll(fileOf(t, ''))).read, [])
})

test('what cannot be read is told as such', async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'folder'))
  for (const name of ['none', 'folder']) {
    await assert.rejects(readAll(join(folder, name)), { code: 'file_unreadable' })
  }
})
