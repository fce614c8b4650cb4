import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { replayRecording } from '../replay/run.ts'
import { requireTools } from '../support/stack.ts'
import { sharedPath } from '../support/shared.ts'
import { verifyCalls } from '../verify/calls/run.ts'

requireTools()

test('a mixed load costs what it is billed, though Collector, Kafka and processor are killed on the way', async () => {
  const report = await verifyCalls({
    calls: 1200,
    agents: 3,
    concurrency: 2,
    seed: 11,
    kafka: true,
    tell: () => {},
  })
  assert.deepEqual(report.mismatches, [])
  assert.ok(report.verdicts.equal > 500, `${report.verdicts.equal} requests were equal`)
})

test('recorded runs count to the token, though each part is killed at 40 %', async (t) => {
  const file = sharedPath(t, 'data/chatdev_calls.csv')
  if (file === null) return
  const options = { model: 'gpt-4o-mini', streams: false, concurrency: 8, json: true }
  const kills = { killAt: 0.4, killAgents: false, kafka: true }
  const outcome = await replayRecording({ file, ...options, ...kills }, () => {})
  assert.deepEqual(outcome.mismatches, [])
  assert.deepEqual(outcome.lost, [])
})

test('the main job comes to the same through Kafka: the loop is stopped, and every figure equals the bill', () => {
  const main = join(import.meta.dirname, '../main-job/main.ts')
  const args = ['-C', 'tokenfuse-source', main, '--kafka', '--last']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 0, stdout + stderr)
  assert.match(stdout, /^fixer .* stopped at turn \d+, \d+% of \$5$/m)
  assert.equal(stdout.match(/ equal$/gm)?.length, 4)
})
