import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { runProcessor, temporaryFolder } from '../../support/processor.ts'
import { startTokenfuse, tokenfuse } from '../../support/tokenfuse-command.ts'

type Ready = { url: string; pid: number; dataDirectory: string; tokenFile: string }

async function up(t: TestContext, args: readonly string[], folder: string) {
  const { child, ended } = startTokenfuse(['up', '--json', ...args], { folder })
  t.after(() => child.kill('SIGKILL'))
  if (!child.stdout) throw new Error('no output to read')
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return { child, ended, ready: JSON.parse(String(line)) as Ready }
}

test('up tells where it is, is found from its folder, and ends with 0 on Ctrl-C and on SIGTERM', async (t) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const folder = temporaryFolder(t)
    const { child, ended, ready } = await up(t, ['--port', '0'], folder)
    assert.equal(ready.pid, child.pid)
    assert.ok(existsSync(ready.tokenFile))
    const found = await tokenfuse(['status'], { folder })
    assert.ok(found.stdout.includes(ready.url))
    child.kill(signal)
    // npm passes on what the terminal has told already.
    child.kill(signal)
    assert.equal((await ended).code, 0)
    assert.ok(!existsSync(join(folder, '.tokenfuse/endpoint.json')))
  }
})

test('what keeps it from starting is told with a fix, and the folder is free afterwards', async (t) => {
  const { url, dataDirectory } = await runProcessor(t)
  const folder = temporaryFolder(t)
  const bad = join(folder, 'bad.yaml')
  writeFileSync(bad, 'version: 1\nbudgets:\n  - { id: UPPER, window: never }\n')
  const { port } = new URL(url)
  const cases = [
    {
      args: ['--data', dataDirectory, '--port', '0'],
      wanted: /a processor \(pid \d+, .*\) already uses/,
    },
    { args: ['--port', port], wanted: /another process listens on 127\.0\.0\.1/ },
    { args: ['--port', '0', '--policy', 'none.yaml'], wanted: /none\.yaml cannot be read/ },
    { args: ['--port', '0', '--policy', bad], wanted: /bad\.yaml:3:\d+ budgets\[0\]\.id/ },
  ]
  for (const { args, wanted } of cases) {
    const { code, stdout, stderr } = await tokenfuse(['up', ...args], { folder })
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, wanted)
    assert.match(stderr, /\nfix: /)
  }
  const { child, ended } = await up(t, ['--port', '0'], folder)
  child.kill('SIGTERM')
  assert.equal((await ended).code, 0)
})
