import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { DecisionsAnswer, ExplainedDecision, ExplainedRefusal } from '@tokenfuse/protocol'
import { ask, call, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callsRequest } from '../../support/spans.ts'

async function start(t: TestContext) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(
    policyFile,
    'version: 1\nbudgets: [{ id: all, limit: { tokens: 200 }, window: day }]',
  )
  return runProcessor(t, { policyFile })
}

test('a decision is explained by what it was made from and by the event that led to it', async (t) => {
  const processor = await start(t)
  // 110 tokens each: the second passes 200
  await ask(processor, '/v1/traces', callsRequest(2))
  const { decisions } = await ask<DecisionsAnswer>(processor, '/v1/decisions')
  const [decision] = decisions
  assert.equal(decision?.action, 'block')
  const path = `/v1/decisions/${decision?.id}`
  const answer = await ask<ExplainedDecision>(processor, path)
  assert.equal(answer.kind, 'decision')
  assert.deepEqual(answer.decision, decision)
  assert.equal(answer.inForce, true)
  assert.equal(answer.decision.inputs.spent, '220')
  assert.equal(answer.cause?.offset, decision?.version)
  assert.equal(answer.cause?.event.type, 'usage')
})

test('a refusal of a guard is explained by the call, the reason and how its budget stands now', async (t) => {
  const processor = await start(t)
  await ask(processor, '/v1/traces', callsRequest(1))
  const refusal = {
    reason: 'no room',
    budget: 'all',
    scope: '*',
    unit: 'tokens',
    limit: '200',
    spent: '110',
    needed: '95',
  }
  const id = 'guard-00001-3'
  const verdict = { action: 'block', reserve: null, cap: null, decision: id, refusal }
  const values = {
    'gen_ai.usage.input_tokens': 0,
    'gen_ai.usage.output_tokens': 0,
    'error.type': 'budget_exceeded',
    'tokenfuse.verdict': JSON.stringify(verdict),
  }
  await ask(processor, '/v1/traces', callsRequest(1, values))
  const answer = await ask<ExplainedRefusal>(processor, `/v1/decisions/${id}`)
  assert.equal(answer.kind, 'refusal')
  assert.equal(answer.call.event.agent, 'writer')
  assert.deepEqual(answer.call.event.verdict?.refusal, refusal)
  assert.equal(answer.budget?.spent, '110')
})

test('an unknown id is not found, and the answer says how far back is known', async (t) => {
  const processor = await start(t)
  const response = await call(processor, '/v1/decisions/guard-00001-9')
  assert.equal(response.status, 404)
  assert.match(await response.text(), /10,000 decisions.*as far back as the log reaches: entry 1\./)
})
