import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { BudgetsAnswer } from '@tokenfuse/protocol'
import type { RunReport } from '../../../cli/src/run/summary.ts'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { type Provider, startProvider } from '../../support/provider/client.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

let provider: Provider
before(async () => {
  provider = await startProvider({ outputTokens: { median: 100, sigma: 0 } })
})
after(() => provider.stop())

/** Makes so many calls one after the other and prints the status of each. */
function agentFile(folder: string, calls: number): string {
  const file = join(folder, 'agent.mjs')
  const body = {
    model: 'gpt-4o-mini',
    max_tokens: 150,
    messages: [{ role: 'user', content: 'Hi' }],
  }
  writeFileSync(
    file,
    `for (let call = 0; call < ${calls}; call++) {
       const response = await fetch('${provider.url}/v1/chat/completions', {
         method: 'POST',
         headers: { 'x-stand-in-label': process.env.TOKENFUSE_AGENT, authorization: 'Bearer none' },
         body: ${JSON.stringify(JSON.stringify(body))},
       })
       console.log(response.status)
       await response.text()
     }\n`,
  )
  return file
}

const environment = (agent: string, folder: string) => ({
  TOKENFUSE_HOSTS: `${new URL(provider.url).host}=openai+usage`,
  TOKENFUSE_AGENT: agent,
  TOKENFUSE_SPOOL_DIR: join(folder, 'spool'),
})
const reportOf = (stderr: string) => JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as RunReport
const billedTokens = async (label: string) =>
  (await provider.ledger())
    .filter((entry) => entry.label === label)
    .reduce((sum, { tokens }) => sum + tokens.input + tokens.output, 0)

test('a run may make exactly as many calls as its budget says, and a rolling budget beside it is one of its own', async (t) => {
  const folder = temporaryFolder(t)
  const budgets = ['--budget', '3calls', '--budget', '5usd/24h']
  const run = ['run', ...budgets, '--json', '--', process.execPath, agentFile(folder, 6)]
  const { stdout, stderr } = await tokenfuse(run, { folder, env: environment('calls', folder) })
  assert.deepEqual(stdout.trim().split('\n'), ['200', '200', '200', '403', '403', '403'])
  const { budgets: statuses } = reportOf(stderr)
  assert.deepEqual(
    statuses.map(({ unit, window, spent }) => [unit, window, unit === 'calls' ? spent : '']),
    [
      ['calls', 'lifetime', '3'],
      ['picoUsd', 'rolling 24h', ''],
    ],
  )
})

test('a run stops at its budget, says how full it is and what was refused, and leaves no policy behind', async (t) => {
  const folder = temporaryFolder(t)
  const file = agentFile(folder, 20)
  const run = ['run', '--budget', '1ktok', '--json', '--', process.execPath, file]
  const { code, stdout, stderr } = await tokenfuse(run, { folder, env: environment('one', folder) })
  assert.equal(code, 0)
  const statuses = stdout.trim().split('\n')
  assert.equal(statuses[0], '200')
  assert.equal(statuses.at(-1), '403')
  const report = reportOf(stderr)
  assert.equal(report.budgets.length, 1)
  assert.equal(Number(report.budgets[0]?.spent), await billedTokens('one'))
  assert.ok(Number(report.budgets[0]?.spent) <= 1000)
  assert.ok(Number(report.budgets[0]?.spent) > 900)
  assert.equal(report.total.refusedCalls, statuses.filter((status) => status === '403').length)
  assert.ok(!existsSync(join(folder, 'tokenfuse.yaml')))

  // What one run has used is nothing to the next.
  const again = await tokenfuse(['run', '--budget', '1ktok', '--', process.execPath, file], {
    folder,
    env: environment('two', folder),
  })
  assert.match(again.stdout, /^200\n/)
  assert.match(again.stderr, /^ {2}budget {2}\d{3} of 1,000 tokens \(9\d%\)$/m)
  assert.match(again.stderr, /calls refused/)
})

test('the budget of a run is for its calls alone, and gone from the processor afterwards', async (t) => {
  const processor = await runProcessor(t)
  const folder = temporaryFolder(t)
  const file = agentFile(folder, 12)
  const where = ['--data', processor.dataDirectory]
  const [bounded, free] = await Promise.all(
    [['--budget', '0.6ktok/task', '--budget', '5usd'], []].map((budget, index) =>
      tokenfuse(['run', ...budget, ...where, '--json', '--', process.execPath, file], {
        folder,
        env: { ...environment(`agent-${index}`, folder), TOKENFUSE_TASK: 't-1' },
      }),
    ),
  )
  assert.match(bounded?.stdout ?? '', /403/)
  assert.doesNotMatch(free?.stdout ?? '', /403/)
  const scopes = reportOf(bounded?.stderr ?? '').budgets.map(({ scope, unit }) => [scope, unit])
  assert.deepEqual(scopes, [
    ['task=t-1', 'tokens'],
    ['*', 'picoUsd'],
  ])
  assert.deepEqual((await ask<BudgetsAnswer>(processor, '/v1/budgets')).budgets, [])
})

test('a budget that is none is told before the command is started, and a command that is none leaves no budget', async (t) => {
  const processor = await runProcessor(t)
  const folder = temporaryFolder(t)
  const where = ['--data', processor.dataDirectory]
  const wrong = await tokenfuse(['run', '--budget', '5', ...where, '--', 'touch', 'started'], {
    folder,
  })
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /"5" is no amount\nfix: /)
  assert.ok(!existsSync(join(folder, 'started')))
  const missing = await tokenfuse(['run', '--budget', '5usd', ...where, '--', 'no-such-command'], {
    folder,
  })
  assert.equal(missing.code, 127)
  assert.deepEqual((await ask<BudgetsAnswer>(processor, '/v1/budgets')).budgets, [])
})
