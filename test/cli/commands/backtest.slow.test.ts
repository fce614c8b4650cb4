import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BacktestResult } from '@tokenfuse/processor'
import type { UsageAnswer, UsageEvent } from '@tokenfuse/protocol'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callsRequest } from '../../support/spans.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

const START_MS = Date.UTC(2026, 0, 2)

const policyOf = (tokens: number) => `version: 1
budgets: [{ id: each, per: [task], window: lifetime, mode: soft, limit: { tokens: ${tokens} } }]
`

test('what a running processor has recorded is exported, and a backtest of it adds up to its own sums', async (t) => {
  const processor = await runProcessor(t)
  // Nine calls of 110 tokens each, all of one task.
  for (let call = 0; call < 9; call++) await ask(processor, '/v1/traces', callsRequest(1))
  await ask(processor, '/v1/tasks/t-1/end', { agent: 'writer', outcome: 'completed' })
  const exported = await tokenfuse(['export', '--events', '--data', processor.dataDirectory])
  assert.equal(exported.code, 0, exported.stderr)
  const events = exported.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as UsageEvent)
  assert.deepEqual(
    events.map(({ type }) => type as string),
    [...Array.from({ length: 9 }, () => 'usage'), 'task.end'],
  )
  const none = ['--since', '2020-01-01', '--until', '2020-01-02']
  const early = await tokenfuse(['export', '--events', ...none, '--data', processor.dataDirectory])
  assert.equal(early.stdout, '')

  const folder = temporaryFolder(t)
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  // One after the other, as they were not: what is decided while a call runs comes too late for it.
  const apart = events.map((event, index) =>
    JSON.stringify({ ...event, time: new Date(START_MS + index * 60_000).toISOString() }),
  )
  const events9 = file('events.jsonl', `${apart.join('\n')}\nnonsense\n`)
  const args = ['--events', events9, '--policy', file('tight.yaml', policyOf(220))]
  const compare = ['--compare', file('loose.yaml', policyOf(100_000))]
  const json = await tokenfuse(['backtest', ...args, ...compare, '--json'])
  assert.equal(json.code, 0, json.stderr)
  const { recorded, file: read, policies } = JSON.parse(json.stdout) as BacktestResult
  const { total } = await ask<UsageAnswer>(processor, '/v1/usage')
  assert.deepEqual(recorded, {
    calls: total.calls,
    tokens: total.totalTokens,
    costPicoUsd: total.costPicoUsd,
  })
  assert.deepEqual([read.events, read.taskEnds, read.badLines], [9, 1, 1])
  assert.equal(policies[1]?.avoided.calls, 0)
  const [tight] = policies
  // Two calls of 110 tokens fill 220.
  assert.equal(tight?.avoided.calls, 7)
  assert.equal(tight.spent.calls, 2)
  assert.equal(tight.tasks.completedAsTold, 1)

  const { stdout } = await tokenfuse(['backtest', ...args, ...compare])
  assert.match(stdout, /^Recorded: 9 calls, 990 tokens/m)
  assert.match(stdout, /^ {2}line 11: no JSON$/m)
  assert.match(stdout, /^ {2}budget each +1 block +7 +\$0\.0\d+$/m)
  assert.match(stdout, /Tasks hit: 1\. Of these 1 were completed/)
  assert.match(
    stdout,
    /would have avoided .* less than\s.*and hit 0 completed tasks instead\s+of 1/s,
  )
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
})

test('what is wrong with the files is told, with the line of a policy', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'bad.yaml'), 'version: 1\nbudget: []\n')
  const bad = await tokenfuse([
    'backtest',
    '--events',
    'none',
    '--policy',
    join(folder, 'bad.yaml'),
  ])
  assert.equal(bad.code, 1)
  assert.match(bad.stderr, /bad\.yaml:2:1 budget: there is no such field/)
  writeFileSync(join(folder, 'good.yaml'), 'version: 1\n')
  const good = join(folder, 'good.yaml')
  const missing = await tokenfuse(['backtest', '--events', join(folder, 'none'), '--policy', good])
  assert.match(missing.stderr, /none cannot be read/)
  const what = await tokenfuse(['export', '--data', folder])
  assert.match(what.stderr, /not said what to export/)
  const empty = await tokenfuse(['export', '--events', '--data', folder])
  assert.match(empty.stderr, /there is no event log at/)
})
