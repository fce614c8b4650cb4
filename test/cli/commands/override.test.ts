import assert from 'node:assert/strict'
import { userInfo } from 'node:os'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ExplainedDecision, OverrideAnswer, StatusAnswer } from '@tokenfuse/protocol'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callsRequest } from '../../support/spans.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

const POLICY = `version: 1
budgets:
  - { id: tasks, per: [task], window: lifetime, limit: { tokens: 200 } }
`

async function running(t: TestContext) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(policyFile, POLICY)
  const processor = await runProcessor(t, { policyFile })
  const run = (...args: string[]) =>
    tokenfuse(['override', ...args, '--data', processor.dataDirectory])
  return { processor, run }
}

test('an override lets the scope that it names go on, and says how far and until when', async (t) => {
  const { run, processor } = await running(t)
  // 220 of 200 tokens
  await ask(processor, '/v1/traces', callsRequest(2))
  const blocked = await ask<StatusAnswer>(processor, '/v1/status')
  assert.deepEqual(
    blocked.decisions.map(({ action }) => action),
    ['block'],
  )
  const told = await run('tasks', '1ktok', '--scope', 'task=t-1', '--reason', 'launch')
  assert.equal(told.code, 0)
  assert.equal(told.stdout, 'tasks for task=t-1: 1,200 tokens for good\n')
  assert.deepEqual((await ask<StatusAnswer>(processor, '/v1/status')).decisions, [])
})

test('an override ends when it was told to', async (t) => {
  const { run } = await running(t)
  const beforeMs = Date.now()
  const args = ['tasks', '1ktok', '--scope', 'task=t-2', '--reason', 'launch', '--json']
  const answer = JSON.parse((await run(...args, '--for', '2h')).stdout) as OverrideAnswer
  const lastsMs = Date.parse(answer.until ?? '') - beforeMs
  assert.ok(lastsMs >= 7_200_000 && lastsMs < 7_200_000 + 60_000, `${lastsMs} ms`)
  const until = await run(...args, '--until', '2099-01-31T18:00:00+01:00')
  assert.equal((JSON.parse(until.stdout) as OverrideAnswer).until, '2099-01-31T17:00:00.000Z')
})

test('it is kept who did it and why, and explains what followed from it', async (t) => {
  const { run, processor } = await running(t)
  await ask(processor, '/v1/traces', callsRequest(2))
  await ask(processor, '/v1/traces', callsRequest(2, { 'tokenfuse.task.id': 't-2' }))
  for (const { args, wanted } of [
    { args: ['--scope', 'task=t-1'], wanted: userInfo().username },
    { args: ['--scope', 'task=t-2', '--by', 'ann'], wanted: 'ann' },
  ]) {
    const { stdout } = await run('tasks', '1ktok', '--reason', 'launch', '--json', ...args)
    const { offset } = JSON.parse(stdout) as OverrideAnswer
    const path = `/v1/decisions/d${offset}-0`
    const { decision, cause } = await ask<ExplainedDecision>(processor, path)
    assert.equal(decision.action, 'allow')
    assert.ok(cause?.event.type === 'override.set')
    assert.deepEqual([cause.event.by, cause.event.reason], [wanted, 'launch'])
  }
})

test('what cannot be an override says why', async (t) => {
  const { run } = await running(t)
  for (const { args, wanted, code } of [
    { args: ['tasks', '1ktok'], wanted: /--reason/, code: 2 },
    { args: ['tasks', '5', '--reason', 'x'], wanted: /"5" is no amount/, code: 1 },
    {
      args: ['tasks', '5usd', '--scope', 'task=a', '--reason', 'x'],
      wanted: /counts tokens/,
      code: 1,
    },
    {
      args: ['tasks', '5ktok', '--reason', 'x'],
      wanted: /no scope "\*"\nfix: .*task=NAME/,
      code: 1,
    },
    { args: ['none', '5ktok', '--reason', 'x'], wanted: /no budget "none"\nfix: /, code: 1 },
    {
      args: ['tasks', '5ktok', '--reason', 'x', '--until', '2001-01-01'],
      wanted: /is over/,
      code: 2,
    },
    { args: ['tasks', '5ktok', '--reason', 'x', '--for', '2'], wanted: /such as 90m/, code: 2 },
  ]) {
    const end = await run(...args)
    assert.equal(end.code, code, args.join(' '))
    assert.match(end.stderr, wanted)
  }
})
