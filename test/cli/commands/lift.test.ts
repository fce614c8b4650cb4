import assert from 'node:assert/strict'
import { userInfo } from 'node:os'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ExplainedDecision, LiftAnswer, StatusAnswer } from '@tokenfuse/protocol'
import { otlpRequest } from '../../processor/meter/otlp.ts'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callSpan } from '../../support/spans.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

const POLICY = `version: 1
detect: { runaway: { notice: kill } }
budgets:
  - { id: tasks, per: [task], window: lifetime, limit: { tokens: 1000 } }
`

/** A task that was killed since it did the same six times, and one that has spent its budget. */
async function stopped(t: TestContext) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(policyFile, POLICY)
  const processor = await runProcessor(t, { policyFile })
  const looping = { 'tokenfuse.tool.call.keys': ['c'], 'tokenfuse.tool.result.keys': ['r'] }
  await ask(
    processor,
    '/v1/traces',
    otlpRequest(Array.from({ length: 6 }, () => callSpan(looping))),
  )
  const spent = { 'tokenfuse.task.id': 't-2', 'gen_ai.usage.input_tokens': 1000 }
  await ask(processor, '/v1/traces', otlpRequest([callSpan(spent)]))
  const decisions = async () => (await ask<StatusAnswer>(processor, '/v1/status')).decisions
  const idOf = async (action: string) =>
    (await decisions()).find((decision) => decision.action === action)?.id ?? ''
  const run = (...args: string[]) => tokenfuse([...args, '--data', processor.dataDirectory])
  return { processor, run, decisions, idOf }
}

test('a task that was killed is let go, and it is kept who did it and why', async (t) => {
  const { run, decisions, idOf } = await stopped(t)
  const id = await idOf('kill')
  const [status, before] = await Promise.all([run('status'), run('explain', id)])
  assert.match(status.stdout, /^kill for agent=writer,task=t-1: The same turns/m)
  assert.match(before.stdout, new RegExp(`holds    yes; "tokenfuse lift ${id}" lets it go`))
  const told = await run('lift', id, '--reason', 'a long job')
  assert.equal(told.code, 0, told.stderr)
  assert.equal(
    told.stdout,
    `kill of agent=writer,task=t-1 by runaway.repetition is lifted [${id}]\n`,
  )
  assert.deepEqual(
    (await decisions()).map(({ action }) => action),
    ['block'],
  )
  const detections = await run('alerts')
  assert.match(detections.stdout, /^repetition \(notice\)/)
  const again = await run('lift', id, '--reason', 'a long job')
  assert.equal(again.code, 1)
  assert.match(again.stderr, /no decision "d\d+-\d" is in force/)

  assert.match((await run('explain', id)).stdout, /holds    no longer/)
})

test('a lift as JSON names the decision, its scope and the entry of the log that holds it', async (t) => {
  const { processor, run, idOf } = await stopped(t)
  const id = await idOf('kill')
  const { stdout } = await run('lift', id, '--reason', 'mine', '--json')
  const { offset, ...rest } = JSON.parse(stdout) as LiftAnswer
  assert.deepEqual(rest, {
    decision: id,
    scope: 'agent=writer,task=t-1',
    rule: 'runaway.repetition',
    action: 'kill',
  })
  const { cause, decision } = await ask<ExplainedDecision>(processor, `/v1/decisions/d${offset}-0`)
  assert.equal(decision.reason, `lifted by ${userInfo().username}: mine`)
  assert.ok(cause?.event.type === 'decision.lift')
  assert.equal(cause.event.reason, 'mine')
})

test('what a budget has stopped is not lifted but leads to an override', async (t) => {
  const { run, decisions, idOf } = await stopped(t)
  const id = await idOf('block')
  const refused = await run('lift', id, '--reason', 'mine')
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /is that of budget "tasks"/)
  assert.match(refused.stderr, /tokenfuse override tasks AMOUNT --scope task=t-2 --reason TEXT/)
  const unknown = await run('lift', 'nothing', '--reason', 'mine')
  assert.match(unknown.stderr, /no decision "nothing" is in force/)
  assert.match((await run('lift', id)).stderr, /required option '--reason <text>'/)
  assert.equal((await decisions()).length, 2)
})
