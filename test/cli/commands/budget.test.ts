import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Budget, BudgetsAnswer } from '@tokenfuse/protocol'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callsRequest } from '../../support/spans.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

const POLICY = `version: 1
budgets:
  # for the people on the phone
  - id: support
    match: { agent: support }
    window: day
    limit: { usd: 20 }
`

async function running(t: TestContext, policy = POLICY) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(policyFile, policy)
  const processor = await runProcessor(t, { policyFile })
  const run = (...args: string[]) => tokenfuse([...args, '--data', processor.dataDirectory])
  return { processor, run, file: () => readFileSync(policyFile, 'utf8') }
}

const setTo = async (run: (...args: string[]) => ReturnType<typeof tokenfuse>, ...args: string[]) =>
  JSON.parse((await run('budget', 'set', ...args, '--json')).stdout) as { budget: Budget }

test('a budget that is set is in the policy file and in force, with all that was named', async (t) => {
  const { run, processor } = await running(t)
  const { budget } = await setTo(
    run,
    ...['per-user', '10usd/user/month', '--match', 'agent=support', '--match', 'agent=sales-*'],
    ...['--match', 'tag.team=eu', '--soft', '--warn-at', '50%', '--grace', '5m'],
  )
  assert.deepEqual(budget.limit, { usd: '10' })
  assert.deepEqual(budget.match, { agent: ['support', 'sales-*'], 'tag.team': 'eu' })
  const { window, per, mode, warnAt, grace } = budget
  assert.deepEqual(
    { window, per, mode, warnAt, grace },
    {
      window: 'month',
      per: ['user'],
      mode: 'soft',
      warnAt: 0.5,
      grace: 300_000,
    },
  )
  const { budgets } = await ask<BudgetsAnswer>(processor, '/v1/budgets')
  assert.deepEqual(budgets.at(-1), budget)
})

test('limits of calls and steps, rolling windows and nesting are set as they are written', async (t) => {
  const { run } = await running(t)
  const [calls, steps] = [
    await setTo(run, 'polite', '100calls/24h/agent', '--nested'),
    await setTo(run, 'no-loop', '40steps/task'),
  ]
  assert.deepEqual(calls.budget.limit, { calls: 100 })
  assert.equal(calls.budget.window, 'rolling 24h')
  assert.equal(calls.budget.nested, true)
  assert.deepEqual(steps.budget.limit, { steps: 40 })
  const { stdout } = await run('budget', 'list')
  assert.match(stdout, /100 calls in any 24h for each agent/)
  assert.match(stdout, /40 steps for good for each task/)
  const refused = await run('budget', 'set', 'x', '5steps/1h')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /limit calls, or use another window/)
})

test('a bare amount changes the limit of a budget and nothing else, comments included', async (t) => {
  const { run, file } = await running(t)
  const { code, stdout } = await run('budget', 'set', 'support', '30usd')
  assert.equal(code, 0)
  assert.match(stdout, /^support: \$30\.00 a day, agent=support \(hard\)$/m)
  assert.equal(file(), POLICY.replace('limit: { usd: 20 }', 'limit:\n      usd: "30"'))
})

test('an amount with a window or dimensions replaces those, and a budget loses what it counted apart', async (t) => {
  const { run } = await running(t)
  await setTo(run, 'support', '1ktok/hour/task')
  const { budget } = await setTo(run, 'support', '2ktok/week')
  assert.deepEqual([budget.window, budget.per, budget.limit], ['week', [], { tokens: 2000 }])
  assert.deepEqual(budget.match, { agent: 'support' })
})

test('the list says what each budget is for, its limit, and how full the fullest of its scopes is', async (t) => {
  const policy = `${POLICY}  - { id: tasks, per: [task], window: lifetime, limit: { tokens: 1000 } }
  - { id: someday, window: month }
`
  const { run, processor } = await running(t, policy)
  // 110 tokens each
  await ask(processor, '/v1/traces', callsRequest(3))
  await ask(processor, '/v1/traces', callsRequest(1, { 'tokenfuse.task.id': 't-2' }))
  const [table, json] = await Promise.all([run('budget', 'list'), run('budget', 'list', '--json')])
  assert.match(table.stdout, /^support +agent=support +\$20\.00 a day +hard +0%$/m)
  assert.match(table.stdout, /^tasks +all calls +1,000 tokens for good for each task +hard +33%$/m)
  assert.match(table.stdout, /^someday +all calls +none set: inactive +hard$/m)
  assert.deepEqual(JSON.parse(json.stdout), await ask(processor, '/v1/budgets'))
})

test('a removed budget is gone from file and policy', async (t) => {
  const { run, processor, file } = await running(t)
  assert.equal((await run('budget', 'remove', 'support')).code, 0)
  assert.deepEqual((await ask<BudgetsAnswer>(processor, '/v1/budgets')).budgets, [])
  assert.doesNotMatch(file(), /support/)
  const again = await run('budget', 'remove', 'support')
  assert.equal(again.code, 1)
  assert.match(again.stderr, /no budget "support"\nfix: .*budget list/)
})

test('what does not hold changes nothing and says what to write instead', async (t) => {
  const { run, file } = await running(t)
  for (const { args, wanted, code } of [
    { args: ['x', '5usd/fortnight'], wanted: /no window and no dimension\nfix: /, code: 1 },
    { args: ['x', '5'], wanted: /"5" is no amount\nfix: .*5usd/, code: 1 },
    { args: ['x', '5usd', '--match', 'agnt=a'], wanted: /which calls are meant\nfix: /, code: 1 },
    { args: ['Not This', '5usd'], wanted: /budgets\[1\]\.id: use small letters/, code: 1 },
    { args: ['run.x', '5usd'], wanted: /tokenfuse run --budget/, code: 1 },
    { args: ['x', '5usd', '--soft', '--shadow'], wanted: /cannot be used with/, code: 2 },
    { args: ['x', '5usd', '--warn-at', '0'], wanted: /share of the limit/, code: 2 },
    { args: ['x', '5usd', '--stale', 'allow'], wanted: /bestEffort: true/, code: 1 },
  ]) {
    const end = await run('budget', 'set', ...args)
    assert.equal(end.code, code, args.join(' '))
    assert.match(end.stderr, wanted)
  }
  assert.equal(file(), POLICY)
})
