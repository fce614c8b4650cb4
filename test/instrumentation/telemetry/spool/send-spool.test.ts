import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { sendSpool } from '../../../../instrumentation/src/telemetry/spool/index.ts'
import {
  RETENTION_MS,
  thisOwner,
} from '../../../../instrumentation/src/telemetry/spool/spool-file.ts'
import { spoolLine } from '../../../../instrumentation/src/telemetry/spool/spool-lines.ts'
import { destinationsOf } from '../../../../instrumentation/src/transport/target.ts'
import { aSpan, spanId } from '../support/call.ts'
import { acknowledgedIds, startReceiver } from '../support/receiver.ts'
import type { Receiver, ReplyTo } from '../support/receiver.ts'
import { spooledIds, spoolFiles, temporaryFolder } from '../support/spool.ts'

const headers = { authorization: 'Bearer secret' }
const deadPid = spawnSync(process.execPath, ['-e', '']).pid

async function setUp(t: TestContext, replyTo?: ReplyTo) {
  const receiver = await startReceiver(t, replyTo)
  const directory = temporaryFolder(t)
  return { receiver, directory, send: () => send(receiver, directory) }
}

const send = (receiver: Receiver, directory: string) =>
  sendSpool({ directory, headers, endpoint: `${receiver.url}/v1/traces` })

const ours = (receiver: Receiver) =>
  destinationsOf({ url: new URL(receiver.url), headers, dataDirectory: null })[0]

/** Puts a file of the spans into the spool; `owner` as it stands in its name. */
function put(
  directory: string,
  destination: string,
  spans: readonly number[],
  { guard = 'guard-0001', state = 'spool', owner = `00000000.${deadPid}`, extra = '' } = {},
): string {
  const path = join(directory, `${destination}.${owner}.${guard}-1.${state}`)
  writeFileSync(path, spans.map((n) => spoolLine(aSpan(n))).join('') + extra)
  return path
}

const clean = {
  sentSpans: 0,
  droppedSpans: 0,
  files: 0,
  damagedFiles: 0,
  expiredFiles: 0,
  failed: 0,
}

test('what was left is sent with the name of the guard that left it, and is gone then', async (t) => {
  const { receiver, directory, send: sendIt } = await setUp(t)
  put(directory, ours(receiver), [1, 2])
  put(directory, ours(receiver), [3], { guard: 'guard-0002' })
  assert.deepEqual(await sendIt(), { ...clean, sentSpans: 3, files: 2 })
  assert.deepEqual(acknowledgedIds(receiver), [1, 2, 3].map(spanId))
  assert.equal(receiver.requests[0]?.headers.authorization, 'Bearer secret')
  assert.deepEqual(readdirSync(directory), [])
  assert.deepEqual(await sendIt(), clean)
})

test('an empty or missing folder is nothing to do', async (t) => {
  const { receiver, directory } = await setUp(t)
  assert.deepEqual(await send(receiver, join(directory, 'missing')), clean)
})

test('spans meant for another processor stay where they are', async (t) => {
  const { directory, send: sendIt } = await setUp(t)
  put(directory, 'f'.repeat(16), [1])
  assert.deepEqual(await sendIt(), clean)
  assert.deepEqual(spooledIds(directory), [spanId(1)])
})

test('a processor of this machine gets its spans by its token, whatever port it has now', async (t) => {
  const first = await startReceiver(t)
  const { receiver, directory, send: sendIt } = await setUp(t)
  put(directory, ours(first), [1])
  assert.equal((await sendIt()).sentSpans, 1)
  assert.deepEqual(acknowledgedIds(receiver), [spanId(1)])
})

test('a receiver that is away keeps the files as they were, and is not asked once a file', async (t) => {
  const { receiver, directory, send: sendIt } = await setUp(t, () => ({ status: 503 }))
  const path = put(directory, ours(receiver), [1])
  const before = new Date(Date.now() - 3_600_000)
  utimesSync(path, before, before)
  put(directory, ours(receiver), [2], { guard: 'guard-0002' })
  assert.deepEqual(await sendIt(), { ...clean, failed: 2 })
  assert.equal(receiver.attempts.length, 1)
  assert.deepEqual(spooledIds(directory), [1, 2].map(spanId))
  assert.equal(Math.round(statSync(path).mtimeMs / 1000), Math.round(before.getTime() / 1000))
})

test('two at once send each file once', async (t) => {
  const { receiver, directory, send: sendIt } = await setUp(t)
  const guards = Array.from({ length: 40 }, (_, n) => `guard-${1000 + n}`)
  for (const [n, guard] of guards.entries()) put(directory, ours(receiver), [n], { guard })
  const reports = await Promise.all([sendIt(), sendIt(), sendIt()])
  assert.equal(
    reports.reduce((sum, { sentSpans }) => sum + sentSpans, 0),
    40,
  )
  assert.equal(receiver.requests.length, 40)
  assert.deepEqual(readdirSync(directory), [])
})

test('a claim ends with the process that made it; a file of a process that runs is left alone', async (t) => {
  const { receiver, directory, send: sendIt } = await setUp(t)
  const dead = `${thisOwner().host}.${deadPid}`
  const alive = `${thisOwner().host}.${process.ppid}`
  put(directory, ours(receiver), [1], { owner: dead, state: 'live' })
  put(directory, ours(receiver), [2], { guard: 'guard-0002', state: `${dead}.claim` })
  put(directory, ours(receiver), [3], { guard: 'guard-0003', owner: alive, state: 'live' })
  put(directory, ours(receiver), [4], { guard: 'guard-0004', state: `${alive}.claim` })
  assert.deepEqual(await sendIt(), { ...clean, sentSpans: 2, files: 2 })
  assert.deepEqual(acknowledgedIds(receiver), [1, 2].map(spanId))
  assert.deepEqual(spooledIds(directory).toSorted(), [3, 4].map(spanId))
})

test('a damaged file is set aside once its good spans are sent, and not sent again', async (t) => {
  const { receiver, directory, send: sendIt } = await setUp(t)
  put(directory, ours(receiver), [1], { extra: 'no span\n' })
  assert.deepEqual(await sendIt(), { ...clean, sentSpans: 1, files: 1, damagedFiles: 1 })
  assert.deepEqual(
    spoolFiles(directory).map(({ state }) => state),
    ['bad'],
  )
  assert.deepEqual(await sendIt(), clean)
  assert.equal(receiver.requests.length, 1)
})

test('a span that was being written when its process was killed costs the file nothing', async (t) => {
  const { receiver, directory, send: sendIt } = await setUp(t)
  put(directory, ours(receiver), [1], { extra: spoolLine(aSpan(2)).slice(0, 200) })
  assert.deepEqual(await sendIt(), { ...clean, sentSpans: 1, files: 1 })
  assert.deepEqual(readdirSync(directory), [])
})

test('a span that the receiver will never take is dropped alone', async (t) => {
  const {
    receiver,
    directory,
    send: sendIt,
  } = await setUp(t, ({ spanIds }) => ({
    status: spanIds.includes(spanId(7)) ? 400 : 200,
  }))
  put(
    directory,
    ours(receiver),
    Array.from({ length: 20 }, (_, n) => n),
  )
  assert.deepEqual(await sendIt(), { ...clean, sentSpans: 19, droppedSpans: 1, files: 1 })
})

test('what is older than any processor keeps its log is deleted and counted', async (t) => {
  const { directory, send: sendIt } = await setUp(t)
  const path = put(directory, 'f'.repeat(16), [1])
  const longAgo = new Date(Date.now() - RETENTION_MS - 60_000)
  utimesSync(path, longAgo, longAgo)
  assert.deepEqual(await sendIt(), { ...clean, expiredFiles: 1 })
  assert.deepEqual(readdirSync(directory), [])
})
