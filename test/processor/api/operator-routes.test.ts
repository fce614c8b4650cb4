import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Budget, BudgetChangeAnswer, BudgetsAnswer, OverrideAnswer } from '@tokenfuse/protocol'
import { runProcessor, temporaryFolder } from '../../support/processor.ts'

async function start(t: TestContext, policy: string) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(policyFile, policy)
  const { url, token } = await runProcessor(t, { policyFile })
  const request = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as unknown }
  }
  return { request, file: () => readFileSync(policyFile, 'utf8'), folder: dirname(policyFile) }
}

const POLICY = `version: 1
budgets:
  # keep me
  - id: all
    window: lifetime
    limit: { tokens: 1000 }
`

test('a budget that is put is in the file, in force, and listed, with the comments kept', async (t) => {
  const { request, file } = await start(t, POLICY)
  const budget = { window: 'day', limit: { usd: '5' }, per: ['user'] }
  const put = await request('PUT', '/v1/budgets/daily', budget)
  assert.equal(put.status, 200)
  assert.match(file(), /# keep me/)
  const listed = (await request('GET', '/v1/budgets')).body as BudgetsAnswer
  assert.deepEqual(
    listed.budgets.map(({ id }) => id),
    ['all', 'daily'],
  )
  assert.equal(listed.policyVersion, (put.body as BudgetChangeAnswer).policyVersion)
  assert.equal((await request('DELETE', '/v1/budgets/daily')).status, 200)
  assert.equal((await request('GET', '/v1/budgets/daily')).status, 404)
})

test('a budget that does not hold is refused with its place and changes neither file nor policy', async (t) => {
  const { request, file } = await start(t, POLICY)
  const put = await request('PUT', '/v1/budgets/bad', { window: 'fortnight' })
  assert.equal(put.status, 400)
  assert.match(JSON.stringify(put.body), /budgets\[1\]\.window/)
  assert.equal(file(), POLICY)
})

test('a change made from an older policy is refused', async (t) => {
  const { request } = await start(t, POLICY)
  const { policyVersion } = (await request('GET', '/v1/budgets')).body as BudgetsAnswer
  const ifMatch = { 'if-match': `"${policyVersion}"` }
  assert.equal((await request('PUT', '/v1/budgets/a', { window: 'day' }, ifMatch)).status, 200)
  assert.equal((await request('PUT', '/v1/budgets/b', { window: 'day' }, ifMatch)).status, 409)
})

test('an override raises the limit of its scope and says until when', async (t) => {
  const { request } = await start(t, POLICY)
  const override = { budget: 'all', add: '2ktok', reason: 'launch', by: 'ops' }
  const { status, body } = await request('POST', '/v1/overrides', override)
  assert.equal(status, 200)
  assert.equal((body as OverrideAnswer).limit, '3000')
  assert.equal((body as OverrideAnswer).until, null)
  const wrongUnit = await request('POST', '/v1/overrides', { ...override, add: '5usd' })
  assert.equal(wrongUnit.status, 400)
  const noScope = await request('POST', '/v1/overrides', { ...override, scope: 'task=t-1' })
  assert.equal(noScope.status, 400)
  assert.match(JSON.stringify(noScope.body), /leave the scope out/)
  const noBudget = await request('POST', '/v1/overrides', { ...override, budget: 'none' })
  assert.equal(noBudget.status, 404)
})

test('a budget that is patched keeps what is not named', async (t) => {
  const { request } = await start(t, POLICY)
  const patched = await request('PATCH', '/v1/budgets/all', { limit: { tokens: 7 } })
  assert.equal(patched.status, 200)
  const { body } = await request('GET', '/v1/budgets/all')
  assert.deepEqual((body as Budget).limit, { tokens: 7 })
  assert.equal((body as Budget).window, 'lifetime')
})

test('the budget of a run is in force and in no file, outlives edits of the file, and is taken away', async (t) => {
  const { request, file } = await start(t, POLICY)
  const budget = { window: 'lifetime', limit: { usd: '5' }, match: { 'tag.run': 'r-1' } }
  assert.equal((await request('PUT', '/v1/budgets/run.r-1.0', budget)).status, 200)
  assert.equal(file(), POLICY)
  await request('PUT', '/v1/budgets/daily', { window: 'day', limit: { usd: '1' } })
  const ids = async () => {
    const { budgets } = (await request('GET', '/v1/budgets')).body as BudgetsAnswer
    return budgets.map(({ id }) => id)
  }
  assert.deepEqual(await ids(), ['all', 'daily', 'run.r-1.0'])
  assert.doesNotMatch(file(), /r-1/)
  assert.equal((await request('DELETE', '/v1/budgets/run.r-1.0')).status, 200)
  assert.deepEqual(await ids(), ['all', 'daily'])
  assert.equal((await request('DELETE', '/v1/budgets/run.r-1.0')).status, 404)
})

test('the budget of a run that does not hold is refused with its place', async (t) => {
  const { request } = await start(t, POLICY)
  const put = await request('PUT', '/v1/budgets/run.r-1.0', { window: 'fortnight' })
  assert.equal(put.status, 400)
  assert.match(JSON.stringify(put.body), /window/)
})
