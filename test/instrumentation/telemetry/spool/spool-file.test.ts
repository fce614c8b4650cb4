import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import test from 'node:test'
import {
  isAbandoned,
  liveName,
  parseSpoolName,
  renamed,
  SEGMENT_IDLE_MS,
  thisOwner,
} from '../../../../instrumentation/src/telemetry/spool/spool-file.ts'

const destination = '0123456789abcdef'
const nowMs = Date.now()

test('a file keeps its identity through every state it can be renamed to', () => {
  const live = liveName(destination, 'guard-0001_x', 7)
  const read = parseSpoolName(live)
  assert.equal(read?.state, 'live')
  assert.deepEqual(read?.owner, thisOwner())
  for (const from of [live, renamed(live, 'claim'), renamed(live, 'spool'), renamed(live, 'bad')]) {
    for (const state of ['claim', 'spool', 'bad'] as const) {
      const file = parseSpoolName(renamed(from, state))
      assert.equal(file?.state, state)
      assert.equal(file?.destination, destination)
      assert.equal(file?.guardId, 'guard-0001_x')
      assert.deepEqual(file?.owner, state === 'claim' ? thisOwner() : null)
    }
  }
})

test('names that are none of ours are left alone', () => {
  for (const name of [
    '',
    '.',
    'token',
    `${destination}.x.spool`,
    `${liveName(destination, 'guard-0001', 1)}.tmp`,
  ]) {
    assert.equal(parseSpoolName(name), null, name)
  }
})

test('a file is free when its process is gone, and not while it runs', () => {
  const dead = spawnSync(process.execPath, ['-e', '']).pid
  assert.equal(isAbandoned({ host: thisOwner().host, pid: dead }, nowMs, nowMs), true)
  assert.equal(isAbandoned({ host: thisOwner().host, pid: process.ppid }, nowMs, nowMs), false)
  assert.equal(isAbandoned(thisOwner(), nowMs, nowMs), false)
})

test('a file of an earlier process with our id, as after a restart in a container, is free', () => {
  const beforeUsMs = nowMs - process.uptime() * 1000 - 50
  assert.equal(isAbandoned(thisOwner(), beforeUsMs, nowMs), true)
})

test('process ids of another host say nothing: only long silence does, longer than any owner keeps', () => {
  const elsewhere = { host: 'ffffffff', pid: process.ppid }
  assert.equal(isAbandoned(elsewhere, nowMs - SEGMENT_IDLE_MS - 60_000, nowMs), false)
  assert.equal(isAbandoned(elsewhere, nowMs - SEGMENT_IDLE_MS * 2 - 60_000, nowMs), true)
  assert.equal(isAbandoned(thisOwner(), nowMs - SEGMENT_IDLE_MS * 2 - 60_000, nowMs), true)
})
