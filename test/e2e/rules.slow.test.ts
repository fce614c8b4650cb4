import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ExplainAnswer, StatusAnswer } from '@tokenfuse/protocol'
import { type Stage, startStage } from './support/stage.ts'

/** Limits that stop nothing by themselves: the rules do. */
const POLICY = `version: 1
budgets:
  - { id: daily, window: day, mode: shadow, limit: { tokens: 20000 } }
  - { id: each-task, window: lifetime, per: [task], mode: shadow, limit: { tokens: 100 } }
`

/** Waits until the decisions of rules are what they should become. */
async function rulesHold(stage: Stage, names: readonly string[]): Promise<void> {
  for (;;) {
    const status = await stage.ask<StatusAnswer>('/v1/status')
    const holding = status.rules.filter((rule) => rule.holding > 0).map(({ name }) => name)
    if (holding.join() === names.join()) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('the shipped rules stop a runaway task, then everything but what is critical, until the limit is raised', async (t) => {
  const stage = await startStage(t, POLICY)
  const [caller, critical] = [
    stage.commanded(),
    stage.commanded({ TOKENFUSE_CRITICALITY: 'critical' }),
  ]
  const looping = { agent: 'looper', task: 'loop', maxTokens: 40, output: 40 }
  const killed = await caller.call({ ...looping, untilRefused: true })
  assert.equal(killed.status, 403, killed.message)
  assert.match(
    killed.message,
    /refused this call \(kill\): Agent looper may be looping: \d+ tokens\/task/,
  )
  await rulesHold(stage, ['runaway_detected'])
  // Other tasks of the same agent go on, until the day's limit is passed.
  const other = await caller.call({ agent: 'looper', task: 'other', maxTokens: 40, output: 40 })
  assert.equal(other.status, 200, other.message)
  const paused = await caller.call({
    agent: 'b',
    maxTokens: 2000,
    output: 2000,
    untilRefused: true,
  })
  assert.equal(paused.status, 403)
  assert.match(
    paused.message,
    /refused this call \(pause\): Daily token budget exceeded: 2\d{4}\/20000/,
  )
  // What is critical goes on.
  const vital = await critical.call({ agent: 'b', maxTokens: 40, output: 40 })
  assert.equal(vital.status, 200, vital.message)

  const answer = await stage.ask<ExplainAnswer>(`/v1/decisions/${paused.decision}`)
  assert.ok(answer.kind === 'decision')
  assert.equal(answer.decision.rule, 'daily_budget_exceeded')
  assert.equal(answer.decision.parameters['condition'], 'daily_tokens > daily_limit')
  assert.equal(answer.decision.inputs.limit, '20000')
  assert.equal(answer.inForce, true)
  assert.equal(answer.cause?.event.type, 'usage')

  writeFileSync(join(stage.folder, 'tokenfuse.yaml'), POLICY.replace('20000', '2000000'))
  await rulesHold(stage, ['runaway_detected'])
  for (;;) {
    const again = await caller.call({ agent: 'b', maxTokens: 40, output: 40 })
    if (again.status === 200) break
    assert.equal(again.status, 403)
  }
  const still = await caller.call(looping)
  assert.equal(still.status, 403, 'the task stays killed')
  await Promise.all([caller.end(), critical.end()])
})
