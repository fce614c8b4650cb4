import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { VERSION } from '../../instrumentation/src/version.ts'

test('the version that spans carry is the version of the package', () => {
  const file = join(import.meta.dirname, '../../instrumentation/package.json')
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string }
  assert.equal(VERSION, version)
})
