import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { spanId } from './support/call.ts'
import { acknowledgedIds, startReceiver } from './support/receiver.ts'
import { fullBacklog } from './support/full-backlog.ts'
import { cleanEnvironment, startAgent } from './support/run-agent.ts'
import type { AgentEnd } from './support/run-agent.ts'
import { spooledIds, spoolFiles, temporaryFolder } from './support/spool.ts'

const ids = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => spanId(from + n))

/** Far less than the least of the timeouts by which a request would have kept the process. */
const AT_ONCE_MS = 5_000

function assertEndedAtOnce({ said, stderr }: AgentEnd): void {
  assert.equal(stderr, '', 'what the app says is all that is said')
  const afterMs = Number(said['endedAfterMs'])
  assert.ok(afterMs < AT_ONCE_MS, `ended ${afterMs} ms after its work`)
}

/** A server that takes connections and says nothing, ever. */
async function silentServer(t: TestContext): Promise<string> {
  const server = createServer(() => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a process whose receiver never answers ends by itself at once, and its spans are kept', async (t) => {
  const url = await silentServer(t)
  const spool = temporaryFolder(t)
  const end = await startAgent(
    t,
    { from: 0, to: 20, then: 'end', withControl: true },
    { url, spool },
  ).ended
  assert.deepEqual([end.code, end.signal], [0, null])
  assertEndedAtOnce(end)
  assert.deepEqual(spooledIds(spool), ids(0, 20))
  assert.deepEqual(
    spoolFiles(spool).map(({ state, mode }) => [state, mode]),
    [['spool', 0o600]],
  )
})

test('so does one with nobody at the address, and one with a megabyte to send', async (t) => {
  const spool = temporaryFolder(t)
  const closed = await startReceiver(t)
  await closed.stop()
  const nobody = await startAgent(
    t,
    { from: 0, to: 5, then: 'end', withControl: true },
    { url: closed.url, spool },
  ).ended
  assert.equal(nobody.code, 0)
  assertEndedAtOnce(nobody)
  const url = await silentServer(t)
  const large = await startAgent(
    t,
    { from: 5, to: 1000, then: 'end', padding: 1000 },
    { url, spool },
  ).ended
  assert.equal(large.code, 0)
  assertEndedAtOnce(large)
  assert.deepEqual(spooledIds(spool).toSorted(), ids(0, 1000))
})

test('so does one whose connect gets no answer', async (t) => {
  const url = await fullBacklog(t)
  if (url === null) return
  const spool = temporaryFolder(t)
  const agent = startAgent(t, { from: 0, to: 3, then: 'end', withControl: true }, { url, spool })
  const end = await agent.ended
  assert.equal(end.code, 0)
  assertEndedAtOnce(end)
  assert.deepEqual(spooledIds(spool), ids(0, 3))
})

test('process.exit, an error that nobody caught and a rejection keep their exit codes, and the spans', async (t) => {
  const url = await silentServer(t)
  for (const [then, code] of [
    ['exit', 3],
    ['throw', 1],
    ['reject', 1],
  ] as const) {
    const spool = temporaryFolder(t)
    const end = await startAgent(t, { from: 0, to: 4, then }, { url, spool }).ended
    assert.deepEqual([end.code, end.signal], [code, null], then)
    assert.deepEqual(spooledIds(spool), ids(0, 4), then)
  }
})

test('signals end a process as they do without us, and the spans are kept: TERM, INT, HUP and KILL', async (t) => {
  const url = await silentServer(t)
  const end = async (signal: NodeJS.Signals) => {
    const spool = temporaryFolder(t)
    const agent = startAgent(t, { from: 0, to: 4, then: 'stay' }, { url, spool })
    await agent.recorded
    agent.kill(signal)
    const { code, signal: by, said } = await agent.ended
    assert.deepEqual([code, by], [null, signal])
    assert.equal(said['listeners'], 0, 'no listener of ours for an app to find')
    assert.deepEqual(spooledIds(spool), ids(0, 4), signal)
  }
  await Promise.all((['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const).map(end))
})

test('a process whose loop is blocked still dies of a signal, and its spans are kept', async (t) => {
  const spool = temporaryFolder(t)
  const url = await silentServer(t)
  const agent = startAgent(t, { from: 0, to: 4, then: 'block' }, { url, spool })
  await agent.recorded
  agent.kill('SIGTERM')
  assert.equal((await agent.ended).signal, 'SIGTERM')
  assert.deepEqual(spooledIds(spool), ids(0, 4))
})

test("an app's own handler decides: it runs, nothing ends before it, and its exit code holds", async (t) => {
  const spool = temporaryFolder(t)
  const url = await silentServer(t)
  const agent = startAgent(t, { from: 0, to: 4, then: 'handle' }, { url, spool })
  await agent.recorded
  agent.kill('SIGTERM')
  const { code, signal, said } = await agent.ended
  assert.deepEqual([code, signal, said['handled']], [7, null, true])
  assert.deepEqual(spooledIds(spool), ids(0, 4))
})

test('the next process sends what killed ones have left, and what it leaves is nothing', async (t) => {
  const spool = temporaryFolder(t)
  const silent = await silentServer(t)
  const first = startAgent(t, { from: 0, to: 4, then: 'stay' }, { url: silent, spool })
  const second = startAgent(t, { from: 4, to: 8, then: 'end' }, { url: silent, spool })
  await first.recorded
  first.kill('SIGKILL')
  await Promise.all([first.ended, second.ended])
  const receiver = await startReceiver(t)
  const next = startAgent(t, { from: 8, to: 9, then: 'handle' }, { url: receiver.url, spool })
  await receiver.until((r) => acknowledgedIds(r).length === 9)
  assert.deepEqual(acknowledgedIds(receiver), ids(0, 9))
  next.kill('SIGTERM')
  assert.equal((await next.ended).code, 7)
  assert.deepEqual(spoolFiles(spool), [])
})

test('memory does not grow with the number of calls', async (t) => {
  const receiver = await startReceiver(t)
  const file = join(import.meta.dirname, 'support/soak.ts')
  const child = spawn(process.execPath, ['--expose-gc', '-C', 'tokenfuse-source', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...cleanEnvironment(),
      TOKENFUSE_URL: receiver.url,
      TOKENFUSE_SPOOL_DIR: temporaryFolder(t),
    },
  })
  t.after(() => child.kill('SIGKILL'))
  const heapBytes = (await json(child.stdout)) as number[]
  const [, settled = 0] = heapBytes
  const grown = (heapBytes.at(-1) ?? Infinity) - settled
  assert.equal(acknowledgedIds(receiver).length, 18_000)
  // The 12,000 calls in between would take 15 MB if they were kept.
  assert.ok(grown < 2_000_000, `${grown} bytes more after 12,000 calls`)
})
