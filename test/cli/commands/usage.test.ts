import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { TaskCostRow, UsageAnswer } from '@tokenfuse/protocol'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callsRequest } from '../../support/spans.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

const POLICY = `version: 1
budgets:
  - { id: writers, match: { agent: writer }, per: [task], limit: { tokens: 1000 }, window: lifetime, mode: soft }
  - { id: someday, window: month }
`

/** 5 calls of writer (105 micro-USD) and 2 of reader, 110 tokens each. */
async function metered(t: TestContext) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(policyFile, POLICY)
  const running = await runProcessor(t, { policyFile })
  await ask(running, '/v1/traces', callsRequest(5, { 'user.id': 'ann' }))
  await ask(running, '/v1/traces', callsRequest(2, { 'gen_ai.agent.name': 'reader' }))
  return { ...running, where: ['--data', running.dataDirectory] }
}

test('usage prints what the processor says: as JSON word for word, as a table with sums', async (t) => {
  const { where, ...running } = await metered(t)
  const [json, table, byUser] = await Promise.all([
    tokenfuse(['usage', '--json', ...where]),
    tokenfuse(['usage', ...where]),
    tokenfuse(['usage', '--by', 'user', '--period', 'today', ...where]),
  ])
  const answer = await ask<UsageAnswer>(running, '/v1/usage?by=agent&by=task&top=50')
  assert.deepEqual(JSON.parse(json.stdout), answer)
  assert.equal(table.code, 0)
  assert.deepEqual(
    table.stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/)),
    [
      ['agent', 'task', 'calls', 'input', 'output', 'cost'],
      ['writer', 't-1', '5', '500', '50', '$0.0001'],
      ['reader', 't-1', '2', '200', '20', '<$0.0001'],
      ['total', '7', '700', '70', '$0.0001'],
    ],
  )
  assert.match(byUser.stdout, /^ann +5 /m)
})

test('top ranks what costs the most, and shows its share', async (t) => {
  const { where } = await metered(t)
  const [agents, first, json] = await Promise.all([
    tokenfuse(['top', ...where]),
    tokenfuse(['top', '--by', 'model', '--top', '1', ...where]),
    tokenfuse(['top', '--by', 'user', '--json', ...where]),
  ])
  // 5 of 7 equal calls
  assert.match(agents.stdout, /^writer +\$0\.0001 +71% +\u2588+ +5 +550$/m)
  assert.ok(agents.stdout.indexOf('writer') < agents.stdout.indexOf('reader'))
  assert.match(first.stdout, /^gpt-4o-mini .* 100% /m)
  const answer = JSON.parse(json.stdout) as UsageAnswer
  assert.deepEqual(
    answer.rows.map(({ values, calls }) => [values.user, calls]),
    [
      ['ann', 5],
      ['unknown', 2],
    ],
  )
})

test('usage and top say what completed tasks cost, where they are shown by what tasks are told apart by', async (t) => {
  const { where, ...running } = await metered(t)
  const body = { agent: 'writer', taskType: 'ticket', outcome: 'completed' }
  await ask(running, '/v1/tasks/t-1/end', body)
  const [usage, top, json, day] = await Promise.all([
    tokenfuse(['usage', '--by', 'taskType', ...where]),
    tokenfuse(['top', '--by', 'agent', ...where]),
    tokenfuse(['usage', '--by', 'taskType', '--json', ...where]),
    tokenfuse(['usage', '--by', 'taskType', '--period', 'today', ...where]),
  ])
  // 7 calls of 21 micro-USD and 110 tokens each: of writer and reader, who worked on the same task
  assert.match(usage.stdout, /^ticket +1 +0 +0 +\$0\.0001 +770$/m)
  assert.match(top.stdout, /^writer +1 +0 +0 +\$0\.0001 +770$/m)
  const { taskCosts } = JSON.parse(json.stdout) as { taskCosts: TaskCostRow[] }
  assert.equal(taskCosts[0]?.costPerCompletedPicoUsd, '147000000')
  assert.doesNotMatch(day.stdout, /ticket/)
})

test('a table is no wider than 80 columns, and a name cannot write on the screen', async (t) => {
  const { where, ...running } = await metered(t)
  const values = {
    'gen_ai.agent.name': `\u001b[31m${'long-'.repeat(40)}`,
    'tokenfuse.task.id': 't'.repeat(200),
  }
  await ask(running, '/v1/traces', callsRequest(1, values))
  const outputs = await Promise.all([
    tokenfuse(['usage', ...where]),
    tokenfuse(['top', ...where]),
    tokenfuse(['status', ...where]),
  ])
  for (const { stdout } of outputs) {
    assert.ok(!stdout.includes('\u001b'))
    for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
  }
})

test('colours only where they are asked for: a pipe gets none', async (t) => {
  const { where } = await metered(t)
  const [pipe, forced] = await Promise.all([
    tokenfuse(['usage', ...where]),
    tokenfuse(['usage', ...where], { env: { FORCE_COLOR: '1' } }),
  ])
  assert.ok(!pipe.stdout.includes('\u001b['))
  assert.ok(forced.stdout.includes('\u001b['))
})

test('without a processor, with a dead one, a wrong token or a stranger at the address: an error with a fix', async (t) => {
  const { url } = await runProcessor(t)
  const folder = temporaryFolder(t)
  const cases = [
    { args: ['usage'], wanted: /no processor is running for this folder\nfix: .*tokenfuse up/ },
    { args: ['status', '--url', 'http://127.0.0.1:9'], wanted: /no processor answers at/ },
    { args: ['top', '--url', url], wanted: /does not take this token\nfix: .*TOKENFUSE_TOKEN/ },
    { args: ['top', '--url', url, '--token', 'wrong'], wanted: /does not take this token/ },
  ]
  const ends = await Promise.all(cases.map(({ args }) => tokenfuse(args, { folder })))
  for (const [index, { code, stdout, stderr }] of ends.entries()) {
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, cases[index]?.wanted ?? /never/)
    assert.doesNotMatch(stderr, /\n {4}at /)
  }
  const json = await tokenfuse(['usage', '--json'], { folder })
  const { error } = JSON.parse(json.stderr) as { error: Record<string, string> }
  assert.deepEqual(Object.keys(error), ['code', 'message', 'fix'])
  assert.equal(error['code'], 'processor_unreachable')
})
