import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { temporaryFolder } from '../support/processor.ts'

const MAIN = join(import.meta.dirname, 'main.ts')

/** Starts the main job in a process group of its own, with a place of its own for temporary files. */
function startJob(t: TestContext) {
  const folder = temporaryFolder(t)
  const child = spawn(process.execPath, ['-C', 'tokenfuse-source', MAIN], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  })
  t.after(() => child.exitCode === null && child.kill('SIGKILL'))
  return { child, folder, stderr: text(child.stderr) }
}

/** Nothing that the job started is left: no process of its group, no file. */
async function assertCleanedUp(child: ChildProcess, folder: string): Promise<void> {
  const deadlineMs = performance.now() + 5000
  const isAnyoneLeft = () => {
    try {
      return process.kill(-(child.pid ?? 0), 0)
    } catch {
      return false
    }
  }
  while (isAnyoneLeft()) {
    assert.ok(performance.now() < deadlineMs, 'a process is left')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual(readdirSync(folder), [])
}

test('the main job stops the loop, agrees with the bill to the pico-USD, and cleans up; one beside it is interrupted', async (t) => {
  const job = startJob(t)
  const other = startJob(t)
  const [stdout, [code]] = await Promise.all([
    text(job.child.stdout ?? []),
    once(job.child, 'exit'),
    interruptAtWork(other.child).then(() => assertCleanedUp(other.child, other.folder)),
  ])
  assert.equal(await job.stderr, '')
  assert.equal(code, 0, stdout)
  assert.match(stdout, /^tokenfuse {2}four agents.*\n\nagent +calls +input +output +cost +state\n/)
  assert.match(stdout, /^fixer .* stopped at turn \d+, \d+% of \$5$/m)
  assert.match(stdout, /RateLimitError: 429 tokenfuse refused this call/)
  for (const agent of ['writer', 'researcher', 'support', 'fixer']) {
    assert.match(stdout, new RegExp(`^${agent} +(\\$\\d+\\.\\d{6,}) +\\1 {2}equal$`, 'm'))
  }
  // The loop would have cost 50 to 150 USD.
  assert.match(stdout, /100 such turns would have cost \$(?:[5-9]\d|1[0-4]\d)\.\d\d\./)
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
  assert.ok(!stdout.includes('\u001b'), 'a pipe gets plain lines')
  await assertCleanedUp(job.child, job.folder)
})

/** Sends Ctrl-C once the first call is counted: as a terminal does to the whole group, and npm once more. */
async function interruptAtWork(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => {
    let stdout = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      if (/^writer +[1-9]/m.test(stdout)) resolve()
    })
  })
  process.kill(-(child.pid ?? 0), 'SIGINT')
  child.kill('SIGINT')
  const [code] = await once(child, 'exit')
  assert.equal(code, 130)
}
