import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')

test('generated files that drifted, are missing or are too many fail the check until generated anew', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-generate-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  const generate = (...args: string[]) =>
    spawnSync(
      process.execPath,
      ['-C', 'tokenfuse-source', join(folder, 'scripts/generate.ts'), ...args],
      { encoding: 'utf8' },
    )

  assert.equal(generate().status, 0)
  assert.equal(generate('--check').status, 0)

  appendFileSync(join(folder, 'docs/errors.md'), 'by hand\n')
  rmSync(join(folder, 'docs/metrics.md'))
  writeFileSync(join(folder, 'protocol/schemas/old.json'), '{}')
  const drifted = generate('--check')
  assert.equal(drifted.status, 1)
  assert.match(drifted.stderr, /docs\/errors\.md, docs\/metrics\.md, protocol\/schemas\/old\.json/)
  assert.ok(!existsSync(join(folder, 'docs/metrics.md')), 'the check writes nothing')

  assert.equal(generate().status, 0)
  assert.ok(!readFileSync(join(folder, 'docs/errors.md'), 'utf8').includes('by hand'))
  assert.ok(existsSync(join(folder, 'docs/metrics.md')))
  assert.ok(!existsSync(join(folder, 'protocol/schemas/old.json')))
})
