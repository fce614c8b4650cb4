import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileLines } from '../../../processor/src/backtest/file-lines.ts'
import { temporaryFolder } from '../../support/processor.ts'

test('lines of any length keep their numbers, characters cut between reads are whole, and endless lines are left out', async (t) => {
  const path = join(temporaryFolder(t), 'lines')
  // Each of three bytes, so that reads of a mebibyte end within one; the third line is longer than any event.
  const wide = '\u20ac'.repeat(400_000)
  const written = ['first', wide, 'x'.repeat(9_000_000), '', wide, 'last']
  writeFileSync(path, written.join('\n'))
  const read: [number, string | null][] = []
  let bytes = 0
  for await (const { firstLine, lines, readBytes, totalBytes } of fileLines(path)) {
    for (const [index, line] of lines.entries()) read.push([firstLine + index, line])
    assert.ok(readBytes >= bytes && readBytes <= totalBytes)
    bytes = readBytes
  }
  const expected = written.map((line, index) => [index + 1, index === 2 ? null : line])
  assert.ok(JSON.stringify(read) === JSON.stringify(expected), 'lines differ')
})
