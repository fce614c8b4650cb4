import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExplainAnswer } from '@tokenfuse/protocol'
import type { Attempt } from './agents/every-sdk.ts'
import { ask } from '../support/processor.ts'
import { callsRequest } from '../support/spans.ts'
import { type Stage, startStage } from './support/stage.ts'

/** What each SDK raises for a refused call, with its default settings. `docs/refusals.md` has the same table. */
const RAISED: Readonly<Record<string, readonly [error: string, status: number]>> = {
  'openai chat': ['RateLimitError', 429],
  'openai chat stream': ['RateLimitError', 429],
  'openai responses': ['RateLimitError', 429],
  anthropic: ['RateLimitError', 429],
  'anthropic stream': ['RateLimitError', 429],
  'ai openai': ['AI_APICallError', 403],
  'ai openai stream': ['AI_APICallError', 403],
  'ai anthropic': ['AI_APICallError', 403],
  'ai anthropic stream': ['AI_APICallError', 403],
  langchain: ['InsufficientQuotaError', 429],
  'langchain stream': ['InsufficientQuotaError', 429],
  fetch: ['Error', 403],
}

async function refusedBySdk(stage: Stage): Promise<readonly Attempt[]> {
  const attempts = (await stage.agent('every-sdk.ts').lines) as Attempt[]
  assert.deepEqual(
    Object.fromEntries(attempts.map(({ name, error, status }) => [name, [error, status]])),
    RAISED,
  )
  assert.deepEqual(await stage.provider.ledger(), [], 'no refused call reached the provider')
  // Each attempt was refused once: no SDK tried again.
  const { rows } = await stage.processor.usage(['agent'])
  assert.deepEqual(
    Object.fromEntries(
      rows
        .filter(({ values }) => values.agent !== 'other')
        .map(({ values, refusedCalls }) => [values.agent, refusedCalls]),
    ),
    Object.fromEntries(attempts.map(({ name }) => [name, 1])),
  )
  for (const { decision, message } of attempts) {
    assert.ok(decision !== null && message.includes(decision), message)
  }
  return attempts
}

test('a call for which there is no credit raises the error of each SDK, once, reaches nobody, and can be explained', async (t) => {
  const policy = 'version: 1\nbudgets: [{ id: tiny, window: lifetime, limit: { tokens: 40 } }]'
  const stage = await startStage(t, policy)
  for (const { name, decision } of await refusedBySdk(stage)) {
    const answer = await stage.ask<ExplainAnswer>(`/v1/decisions/${decision}`)
    assert.ok(answer.kind === 'refusal')
    assert.equal(answer.call.event.agent, name)
    assert.equal(answer.call.event.verdict?.refusal?.limit, '40')
  }
})

test('a call that a decision blocks raises the error of each SDK, once, reaches nobody, and can be explained', async (t) => {
  const policy = `version: 1
budgets: [{ id: tiny, match: { user: unknown }, window: lifetime, limit: { tokens: 100 }, mode: soft }]`
  const stage = await startStage(t, policy)
  // 110 tokens, told by somebody without a guard
  await ask(stage.processor, '/v1/traces', callsRequest(1, { 'gen_ai.agent.name': 'other' }))
  const attempts = await refusedBySdk(stage)
  assert.equal(new Set(attempts.map(({ decision }) => decision)).size, 1)
  const answer = await stage.ask<ExplainAnswer>(`/v1/decisions/${attempts[0]?.decision}`)
  assert.ok(answer.kind === 'decision')
  assert.equal(answer.decision.inputs.spent, '110')
  assert.equal(answer.inForce, true)
})
