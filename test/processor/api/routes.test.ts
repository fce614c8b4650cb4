import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { CreditAnswer, Decision, StatusAnswer, UsageAnswer } from '@tokenfuse/protocol'
import { ask, call, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callSpan, callsRequest } from '../../support/spans.ts'
import { otlpRequest } from '../meter/otlp.ts'

async function runWithPolicy(t: TestContext, policy: string) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(policyFile, policy)
  return runProcessor(t, { policyFile })
}

const GUARD = 'guard-00001'
const BUDGET = `
version: 1
budgets:
  - { id: writers, per: [agent], limit: { tokens: 1000 }, window: lifetime }
  - { id: later, window: day }
`

const creditRequest = (sequence: number, want: string) => ({
  report: {
    type: 'credit.report',
    v: 1,
    tenant: 'default',
    guard: GUARD,
    sequence,
    closing: false,
    accounts: [
      {
        budget: 'writers',
        scope: 'agent=writer',
        windowFromMs: null,
        used: '0',
        reserved: '0',
        returned: '0',
        want,
        need: want,
      },
    ],
  },
  profiles: [{ agent: 'writer', step: 'unknown', provider: 'openai', model: 'gpt-4o-mini' }],
})

test('a credit report is answered from the state after it was applied, with prices', async (t) => {
  const processor = await runWithPolicy(t, BUDGET)
  const answer = await ask<CreditAnswer>(processor, '/v1/credit', creditRequest(1, '100'))
  assert.equal(answer.sequence, 1)
  const status = await ask<StatusAnswer>(processor, '/v1/status')
  assert.ok(answer.offset > status.policyVersion)
  const [account] = answer.accounts
  assert.equal(account?.limit, '1000')
  assert.ok(BigInt(account?.lent ?? '0') >= 100n, 'something was lent')
  const [profile] = answer.profiles
  // 0.15 and 0.60 USD a million tokens
  assert.equal(profile?.rate.input.base, '150000')
  assert.equal(profile?.rate.output.base, '600000')
  assert.equal(profile?.output.p95, null)
  assert.equal(profile?.contextTokens, 128_000)
})

test('a request that does not hold is refused with every place that is wrong', async (t) => {
  const processor = await runProcessor(t)
  const { report, profiles } = creditRequest(1, '1')
  const wrong: [path: string, body: unknown, message: RegExp][] = [
    [
      '/v1/credit',
      { report: { ...report, guard: '!', sequence: -1 }, profiles },
      /guard.*sequence/,
    ],
    ['/v1/credit', Buffer.from('{'), /no JSON/],
    ['/v1/tasks/t-1/end', { outcome: 'gone' }, /outcome/],
    ['/v1/usage?by=colour', undefined, /not a dimension/],
    ['/v1/usage?period=yesterday', undefined, /period/],
    ['/v1/usage?by=user&by=session', undefined, /user and session/],
    ['/v1/stream?guard=%20', undefined, /guard id/],
  ]
  for (const [path, body, message] of wrong) {
    const response = await call(processor, path, body)
    const { error } = (await response.json()) as { error: { code: string; message: string } }
    assert.equal(response.status, 400, path)
    assert.equal(error.code, 'bad_request', path)
    assert.match(error.message, message, path)
  }
  assert.equal((await ask<StatusAnswer>(processor, '/v1/status')).offset, 0)
})

test('usage is told by dimension, the dearest first, with the sum of all', async (t) => {
  const processor = await runProcessor(t)
  const spans = [
    callSpan({ 'gen_ai.agent.name': 'cheap' }),
    callSpan({ 'gen_ai.agent.name': 'dear', 'gen_ai.request.model': 'gpt-4o' }),
    callSpan({ 'gen_ai.agent.name': 'dear' }),
  ]
  await ask(processor, '/v1/traces', otlpRequest(spans))
  const usage = await ask<UsageAnswer>(processor, '/v1/usage?by=agent&top=1')
  assert.deepEqual(
    usage.rows.map(({ values, calls, costPicoUsd }) => [values, calls, costPicoUsd]),
    // gpt-4o: 100 x 2.50 + 10 x 10.00; gpt-4o-mini: 100 x 0.15 + 10 x 0.60 USD a million
    [[{ agent: 'dear' }, 2, '371000000']],
  )
  assert.equal(usage.total.calls, 3)
  const byModel = await ask<UsageAnswer>(processor, '/v1/usage?by=provider&by=model')
  assert.deepEqual(
    byModel.rows.map(({ values }) => values),
    [
      { provider: 'openai', model: 'gpt-4o' },
      { provider: 'openai', model: 'gpt-4o-mini' },
    ],
  )
})

test('status shows budgets, also those without a limit, and a spent one has a decision in force', async (t) => {
  const processor = await runWithPolicy(t, BUDGET)
  await ask(processor, '/v1/traces', callsRequest(10))
  const status = await ask<StatusAnswer>(processor, '/v1/status')
  assert.deepEqual(
    status.budgets.map(({ budget, scope, limit, spent }) => ({ budget, scope, limit, spent })),
    // ten calls of 110 tokens
    [{ budget: 'writers', scope: 'agent=writer', limit: '1000', spent: '1100' }],
  )
  assert.deepEqual(
    status.inactiveBudgets.map(({ budget }) => budget),
    ['later'],
  )
  assert.equal(status.log.events, status.offset)
  const { decisions } = await ask<{ decisions: Decision[] }>(processor, '/v1/decisions')
  assert.deepEqual(
    decisions.map(({ action, scope }) => [action, scope]),
    [['block', 'agent=writer']],
  )
})

test('the end of a task goes into the log', async (t) => {
  const processor = await runProcessor(t)
  const body = { agent: 'writer', outcome: 'completed' }
  const answer = await ask<{ offset: number }>(processor, '/v1/tasks/t%2F1/end', body)
  assert.equal(answer.offset, 1)
})
