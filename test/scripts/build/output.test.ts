import assert from 'node:assert/strict'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { inputsHash, isBuilt, rememberBuilt } from '../../../scripts/build/inputs.ts'
import { withStagedOutput } from '../../../scripts/build/output.ts'

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-build-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const produce = (files: Readonly<Record<string, string>>) => async (staging: string) => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(staging, path, '..'), { recursive: true })
    writeFileSync(join(staging, path), text)
  }
}

test('a build leaves exactly what it produced, and files that did not change untouched', async (t) => {
  const out = join(emptyFolder(t), 'dist')
  await withStagedOutput(out, produce({ 'a.js': '1', 'deep/b.js': '2' }))
  const { ino } = statSync(join(out, 'a.js'))
  await withStagedOutput(out, produce({ 'a.js': '1', 'deep/c.js': '3' }))
  assert.deepEqual(readdirSync(out, { recursive: true, encoding: 'utf8' }).sort(), [
    'a.js',
    'deep',
    join('deep', 'c.js'),
  ])
  assert.equal(statSync(join(out, 'a.js')).ino, ino)
})

test('a build that fails leaves the last good output', async (t) => {
  const out = join(emptyFolder(t), 'dist')
  await withStagedOutput(out, produce({ 'a.js': '1' }))
  const failing = withStagedOutput(out, async (staging) => {
    await produce({ 'a.js': '2' })(staging)
    throw new Error('broken source')
  })
  await assert.rejects(failing, /broken source/)
  assert.deepEqual(readdirSync(out), ['a.js'])
  assert.equal(readFileSync(join(out, 'a.js'), 'utf8'), '1')
})

test('a package is built anew when a source, a setting or what it needs has changed', async (t) => {
  const root = emptyFolder(t)
  const write = produce({
    'package-lock.json': '{}',
    'tsconfig.json': '{}',
    'scripts/build/step.ts': '',
    'a/package.json': '{}',
    'a/tsconfig.build.json': '{}',
    'a/src/index.ts': '1',
    'b/package.json': '{}',
    'b/tsconfig.build.json': '{}',
    'b/src/index.ts': '1',
  })
  await write(root)
  const out = join(root, 'a/dist')
  const hash = inputsHash(root, ['a', 'b'])
  await withStagedOutput(out, produce({ 'index.js': '1' }))
  rememberBuilt(out, hash)
  assert.ok(isBuilt(out, inputsHash(root, ['a', 'b'])))
  for (const path of [
    'tsconfig.json',
    'scripts/build/step.ts',
    'a/src/index.ts',
    'b/package.json',
  ]) {
    await produce({ [path]: '{ "changed": true }' })(root)
    assert.ok(!isBuilt(out, inputsHash(root, ['a', 'b'])), path)
    await write(root)
  }
  await produce({ 'a/src/new.ts': '' })(root)
  assert.ok(!isBuilt(out, inputsHash(root, ['a', 'b'])), 'a new file')
})
