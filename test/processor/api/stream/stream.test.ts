import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { StreamMessage } from '@tokenfuse/protocol'
import {
  ask,
  call,
  type Called,
  runProcessor,
  temporaryFolder,
} from '../../../support/processor.ts'
import { callsRequest } from '../../../support/spans.ts'

type Event = { readonly id: number; readonly message: StreamMessage }

/** Opens a stream; `next` resolves with one event after the other, `null` at its end. */
async function openStream(t: TestContext, called: Called, guard: string) {
  const response = await call(called, `/v1/stream?guard=${guard}`)
  assert.equal(response.status, 200)
  const reader = (response.body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader()
  t.after(() => reader.cancel())
  let text = ''
  const next = async (): Promise<Event | null> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const [type, id, data] = text.slice(0, end).split('\n')
        text = text.slice(end + 2)
        const message = JSON.parse(String(data?.slice('data: '.length))) as StreamMessage
        assert.equal(type, `event: ${message.type}`)
        return { id: Number(id?.slice('id: '.length)), message }
      }
      const { done, value } = await reader.read()
      if (done) return null
      text += value
    }
  }
  return { next }
}

const BUDGET = `
version: 1
budgets:
  - { id: tasks, per: [task], limit: { tokens: 1000 }, window: lifetime }
  - { id: inactive, window: day }
`

async function runWithBudget(t: TestContext) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(policyFile, BUDGET)
  return { policyFile, processor: await runProcessor(t, { policyFile }) }
}

test('a stream begins with policy and decisions, then brings each new decision with its offset', async (t) => {
  const { processor } = await runWithBudget(t)
  const stream = await openStream(t, processor, 'guard-00001')
  const policy = await stream.next()
  assert.equal(policy?.message.type, 'policy')
  const budgets = policy?.message.type === 'policy' ? policy.message.budgets : []
  assert.deepEqual(
    budgets.map(({ id }) => id),
    ['tasks'],
    'a budget without a limit is none to a guard',
  )
  assert.deepEqual((await stream.next())?.message, { type: 'decisions', decisions: [] })
  await ask(processor, '/v1/traces', callsRequest(10))
  const actions: string[] = []
  for (let event = await stream.next(); event; event = await stream.next()) {
    if (event.message.type !== 'decision') continue
    assert.equal(event.id, event.message.decision.version)
    actions.push(event.message.decision.action)
    if (event.message.decision.action === 'block') break
  }
  assert.deepEqual(actions, ['warn', 'block'])
})

test('whoever comes back is sent what is in force now, whatever was missed', async (t) => {
  const { processor } = await runWithBudget(t)
  await openStream(t, processor, 'guard-00001')
  await ask(processor, '/v1/traces', callsRequest(10))
  const again = await openStream(t, processor, 'guard-00001')
  await again.next()
  const event = await again.next()
  const decisions = event?.message.type === 'decisions' ? event.message.decisions : []
  assert.deepEqual(
    decisions.map(({ action, scope }) => [action, scope]),
    [['block', 'task=t-1']],
  )
})

test('a policy that changes reaches those who listen', async (t) => {
  const { processor, policyFile } = await runWithBudget(t)
  const stream = await openStream(t, processor, 'guard-00001')
  await stream.next()
  await stream.next()
  writeFileSync(policyFile, BUDGET.replace('1000', '2000'))
  const event = await stream.next()
  const [budget] = event?.message.type === 'policy' ? event.message.budgets : []
  assert.deepEqual(budget?.limit, { tokens: 2000 })
})

test('closing the processor ends its streams', async (t) => {
  const { processor } = await runWithBudget(t)
  const stream = await openStream(t, processor, 'guard-00001')
  await stream.next()
  await stream.next()
  await processor.processor.close()
  assert.equal(await stream.next(), null)
})
