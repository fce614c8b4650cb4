import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ReplayOptions } from '../replay/options.ts'
import { parseRecording } from '../replay/recording.ts'
import { replayRecording } from '../replay/run.ts'
import { makeTemporaryFolder } from '../support/processes.ts'
import { sharedPath } from '../support/shared.ts'

const OPTIONS: Omit<ReplayOptions, 'file'> = {
  model: 'gpt-4o-mini',
  streams: false,
  concurrency: 8,
  killAt: null,
  killAgents: false,
  kafka: false,
  json: true,
}
const PRICE = { input: 150_000n, output: 600_000n } // pico-USD a token: 0.15 and 0.60 USD a million

/** Forty runs of six calls, a third of them by nobody in particular. */
function smallRecording(t: TestContext): string {
  const folder = makeTemporaryFolder()
  t.after(() => folder.remove())
  const file = join(folder.path, 'calls.csv')
  const lines = Array.from({ length: 240 }, (_, index) => {
    const agent = ['Coder', 'Tester', ''][index % 3]
    return `run-${Math.floor(index / 6)},${agent},${100 + index},${1 + (index % 90)}`
  })
  const head = 'run_id,agent,prompt_tokens,completion_tokens'
  writeFileSync(file, [head, ...lines].join('\n'))
  return file
}

test('the recorded runs count to the token, streamed, though the processor is killed on the way', async (t) => {
  const file = sharedPath(t, 'data/chatdev_calls.csv')
  if (file === null) return
  const outcome = await replayRecording({ ...OPTIONS, file, streams: true, killAt: 0.4 }, () => {})
  assert.deepEqual(outcome.mismatches, [])
  const recording = parseRecording(readFileSync(file, 'utf8'))
  assert.equal(Object.keys(outcome.runs).length, recording.length)
  for (const { run, calls } of recording) {
    const input = calls.reduce((sum, call) => sum + call.input, 0)
    const output = calls.reduce((sum, call) => sum + call.output, 0)
    const cost = BigInt(input) * PRICE.input + BigInt(output) * PRICE.output
    assert.deepEqual(outcome.runs[run], { input, output, costPicoUsd: cost.toString() })
  }
})

test('of killed agents all that was acknowledged is exact, and what was not is shown', async (t) => {
  const file = smallRecording(t)
  const outcome = await replayRecording({ ...OPTIONS, file, killAgents: true }, () => {})
  assert.deepEqual(outcome.mismatches, [])
  assert.ok(outcome.lost.length <= OPTIONS.concurrency)
  assert.equal(outcome.calls + outcome.lost.length, 240)
})
