import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

const root = join(import.meta.dirname, '../..')

/** Runs the test script over a workspace of its own with these test files. */
function runTests(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  { filters = [], ci = false }: { filters?: readonly string[]; ci?: boolean } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'scripts'))
  for (const file of ['test.ts', 'test-groups.ts']) {
    cpSync(join(root, 'scripts', file), join(folder, 'scripts', file))
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  for (const [path, body] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), `import { test } from 'node:test'\n${body}\n`)
  }
  // The runner refuses to start below another one, which it knows by this variable.
  const { NODE_TEST_CONTEXT: _, CI: __, FUZZ_SEED: ___, ...env } = process.env
  return spawnSync(process.execPath, [join(folder, 'scripts/test.ts'), ...filters], {
    encoding: 'utf8',
    env: ci ? { ...env, CI: '1' } : env,
  })
}

const PASS = `test('holds', () => {})`
const FAIL = `test('breaks', () => { throw new Error('broken') })`
const SKIP = `test('needs a thing', { skip: true }, () => {})`
const SKIP_WITH_REASON = `test('needs a thing', (t) => t.skip('the thing is missing'))`

test('a failing test fails the run', (t) => {
  assert.equal(runTests(t, { 'test/a.test.ts': PASS, 'test/b.test.ts': FAIL }).status, 1)
})

test('a skipped test is named with its reason, and CI refuses one without', (t) => {
  const withReason = runTests(t, { 'test/a.test.ts': SKIP_WITH_REASON }, { ci: true })
  assert.match(withReason.stderr, /SKIPPED needs a thing: the thing is missing/)
  assert.equal(withReason.status, 0)

  const without = { 'test/a.test.ts': SKIP }
  const elsewhere = runTests(t, without)
  assert.match(elsewhere.stderr, /SKIPPED needs a thing: no reason given/)
  assert.equal(elsewhere.status, 0)
  assert.equal(runTests(t, without, { ci: true }).status, 1)
})

test('slow suites run only when named, and a filter that fits nothing fails', (t) => {
  const files = {
    'test/a.test.ts': PASS,
    'test/b.slow.test.ts': FAIL,
    'test/stack/c.test.ts': FAIL,
  }
  assert.equal(runTests(t, files).status, 0)
  const named = runTests(t, files, { filters: ['test/stack', './test/b.slow.test.ts'] })
  assert.match(named.stdout, /fail 2/)
  assert.equal(runTests(t, files, { filters: ['nowhere'] }).status, 1)
})
