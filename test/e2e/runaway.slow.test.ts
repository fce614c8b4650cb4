import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DetectionsAnswer, ExplainAnswer } from '@tokenfuse/protocol'
import { startStage } from './support/stage.ts'

test('a loop is killed without any limit where the policy says so, and a poll with new results goes on', async (t) => {
  const stage = await startStage(t, 'version: 1\ndetect: { runaway: { notice: kill } }')
  const caller = stage.commanded()
  const asked = { agent: 'looper', maxTokens: 40, output: 40 }
  const killed = await caller.call({
    ...asked,
    task: 'loop',
    toolResult: 'same',
    untilRefused: true,
  })
  assert.equal(killed.status, 403, killed.message)
  assert.match(
    killed.message,
    /refused this call \(kill\): The same turns, with the same results, \d+ times/,
  )
  const { detections } = await stage.ask<DetectionsAnswer>('/v1/detections')
  assert.deepEqual(
    detections.map(({ kind, scope, action }) => [kind, scope, action]),
    [['repetition', 'agent=looper,task=loop', 'kill']],
  )
  const answer = await stage.ask<ExplainAnswer>(`/v1/decisions/${killed.decision}`)
  assert.ok(answer.kind === 'decision')
  assert.equal(answer.decision.rule, 'runaway.repetition')
  const polled = await caller.call({ ...asked, task: 'poll', toolResult: 'new', times: 12 })
  assert.equal(polled.answered, 12, polled.message)
  await caller.end()
})

test('a loop is warned of though the agent says nothing of tasks, sessions or traces', async (t) => {
  const stage = await startStage(t, 'version: 1\ndetect: { runaway: { notice: kill } }')
  const caller = stage.commanded()
  const asked = { agent: 'plain', maxTokens: 40, output: 40 }
  const looped = await caller.call({ ...asked, toolResult: 'same', times: 8 })
  // Nothing would tell its calls from those of others.
  assert.equal(looped.answered, 8, looped.message)
  await caller.end()
  const { detections } = await stage.ask<DetectionsAnswer>('/v1/detections')
  assert.deepEqual(
    detections.map(({ kind, scope, action }) => [kind, scope, action]),
    [['repetition', 'agent=plain', 'warn']],
  )
})
