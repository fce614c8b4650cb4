import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Suggestion } from '@tokenfuse/processor'
import { parsePolicy } from '@tokenfuse/protocol'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callsRequest } from '../../support/spans.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'
import { usageEvent } from '../../support/usage-event.ts'

const DAY_MS = 86_400_000
const START_MS = Date.UTC(2026, 0, 1)

/** A call that costs so many micro-USD. */
function call(atMs: number, agent: string, task: string, microUsd: number): string {
  const time = new Date(atMs).toISOString()
  const costPicoUsd = String(microUsd * 1_000_000)
  return JSON.stringify(usageEvent({ time, agent, task, costPicoUsd }))
}

test('limits are proposed from usual days and tasks, with what they would have caught', async (t) => {
  const lines: string[] = []
  // 22 days of one task of 1,000 micro-USD; on the 15th a task of another agent goes on and on.
  for (let day = 0; day < 22; day++) {
    const at = START_MS + day * DAY_MS
    lines.push(call(at, 'steady', `t-${day}`, 1000))
    if (day !== 14) continue
    for (let minute = 1; minute <= 20; minute++) {
      lines.push(call(at + minute * 60_000, 'wild', 'loop', 1000))
    }
  }
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'events.jsonl'), lines.join('\n'))
  const args = ['budget', 'suggest', '--events', 'events.jsonl']
  const json = await tokenfuse([...args, '--json'], { folder })
  assert.equal(json.code, 0, json.stderr)
  const { budgets, missing, backtest } = JSON.parse(json.stdout) as Suggestion
  assert.deepEqual(missing, [])
  // Nine of ten days cost 0.001 USD, and half as much again is 0.0015; 19 of 20 tasks 0.001, and twice that is 0.002.
  assert.deepEqual(
    budgets.map(({ budget, samples, usual, highest }) => [
      budget.id,
      budget.limit?.usd,
      samples,
      usual,
      highest,
    ]),
    [
      ['suggested-daily', '0.0015', 20, '1000000000', '21000000000'],
      ['suggested-agent-1', '0.0015', 20, '1000000000', '1000000000'],
      ['suggested-task', '0.002', 23, '1000000000', '20000000000'],
    ],
  )
  const [result] = backtest.policies
  // Of the loop one call fits into what the day has left, and 19 are refused.
  assert.deepEqual(result?.avoided.calls, 19)
  assert.equal(result.tasks.hit, 1)

  const { stdout } = await tokenfuse(args, { folder })
  assert.match(
    stdout,
    /^everything, a day +\$0\.0015 +\$0\.0010 +\$0\.0210 +20 days +19 +\$0\.0190$/m,
  )
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('  - ')) assert.ok(line.length <= 80, line)
  }
  // What is printed is what the file takes.
  const yaml = stdout.slice(stdout.indexOf('budgets:'))
  assert.equal(parsePolicy(`version: 1\n${yaml}`, 'f').budgets.length, 3)
})

test('limits count what those of the policy count, in the days of its time zone, and are written so', async (t) => {
  const folder = temporaryFolder(t)
  const lines = Array.from({ length: 30 }, (_, day) =>
    call(START_MS + day * DAY_MS, 'steady', day < 25 ? `t-${day}` : 'unknown', 1000),
  )
  writeFileSync(join(folder, 'events.jsonl'), lines.join('\n'))
  const policy = 'timezone: Asia/Tokyo\nbudgets: [{ id: a, window: day, limit: { tokens: 5 } }]\n'
  writeFileSync(join(folder, 'tokenfuse.yaml'), `version: 1\n${policy}`)
  const args = ['budget', 'suggest', '--events', 'events.jsonl']
  const { stdout, stderr } = await tokenfuse(args, { folder })
  // A call of 100 + 10 tokens a day: half as much again is 165, rounded up to two digits, and twice it 220.
  assert.match(stdout, /^everything, a day +170 +110 +110 +28 days/m, stderr)
  assert.match(stdout, /^each task +220 +110 +110 +25 tasks/m)
  assert.match(stdout, /^# In tokenfuse\.yaml, with timezone: Asia\/Tokyo$/m)
  const yaml = stdout.slice(stdout.indexOf('budgets:'))
  const { budgets } = parsePolicy(`version: 1\n${yaml}`, 'f')
  assert.deepEqual(
    budgets.map(({ limit, match }) => [limit?.tokens, match]),
    [
      [170, {}],
      [170, { agent: 'steady' }],
      [220, { task: '!unknown' }],
    ],
  )
  const usd = await tokenfuse([...args, '--unit', 'usd'], { folder })
  assert.match(usd.stdout, /^everything, a day +\$0\.0015/m)
})

test('without history enough nothing is proposed, and it is said what is missing', async (t) => {
  const processor = await runProcessor(t)
  await ask(processor, '/v1/traces', callsRequest(3))
  const { stdout } = await tokenfuse(['budget', 'suggest', '--data', processor.dataDirectory])
  assert.match(stdout, /^No limit can be proposed yet\.$/m)
  assert.match(stdout, /^a limit by the day needs 3 days of calls; there are 1$/m)
  assert.match(stdout, /^a limit for tasks needs 20 of them; there are 1$/m)
})
