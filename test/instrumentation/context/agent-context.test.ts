import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  currentAgentContext,
  withAgent,
} from '../../../instrumentation/src/context/agent-context.ts'
import type { AgentIdentity } from '../../../instrumentation/src/context/identity.ts'

test('what is left out is inherited, what is said holds, and tags add up', () => {
  const outer: AgentIdentity = {
    agent: 'planner',
    task: 't-1',
    step: 3,
    tags: { team: 'a', x: '1' },
  }
  const inner: AgentIdentity = { agent: 'writer', step: 'draft', tags: { x: '2' } }
  const identity = withAgent(outer, () => withAgent(inner, () => currentAgentContext()?.identity))
  assert.deepEqual(identity, {
    agent: 'writer',
    task: 't-1',
    stepIndex: null,
    stepName: 'draft',
    tags: { team: 'a', x: '2' },
  })
  assert.equal(currentAgentContext(), undefined)
})

test('agents inside of each other share a trace, agents beside each other do not', () => {
  const trace = () => currentAgentContext()?.trace
  const [outer, inner] = withAgent({ agent: 'a' }, () => [
    trace(),
    withAgent({ agent: 'b' }, trace),
  ])
  const other = withAgent({ agent: 'a' }, trace)
  assert.equal(inner?.traceId, outer?.traceId)
  assert.notEqual(inner?.spanId, outer?.spanId)
  assert.notEqual(other?.traceId, outer?.traceId)
  assert.match(`${outer?.traceId}-${outer?.spanId}`, /^[0-9a-f]{32}-[0-9a-f]{16}$/)
})

test('it holds for what is started inside and runs later, and not for what is beside it', async () => {
  const agent = () => currentAgentContext()?.identity.agent
  const later = async (name: string) => {
    await new Promise(setImmediate)
    return `${name} ${agent()}`
  }
  const inside = withAgent({ agent: 'writer' }, () => later('inside'))
  assert.deepEqual(await Promise.all([inside, later('beside')]), [
    'inside writer',
    'beside undefined',
  ])
})

test('it returns what the function returns and throws what it throws', () => {
  assert.equal(
    withAgent({}, () => 42),
    42,
  )
  const mine = new Error('mine')
  assert.throws(
    () =>
      withAgent({ agent: 'a' }, () => {
        throw mine
      }),
    (error) => error === mine,
  )
})

test('names that make no sense are left out, and none of them disturbs the app', () => {
  const odd = {
    agent: '  \u0000 ',
    task: 17,
    user: { id: 1 },
    session: 'x'.repeat(1000),
    step: { index: 1.5, name: 7 },
    criticality: 'urgent',
    tags: { 'bad name': 'x', good: 'yes', number: 3, nothing: null },
  } as unknown as AgentIdentity
  const identity = withAgent(odd, () => currentAgentContext()?.identity)
  assert.deepEqual(identity, {
    task: '17',
    session: 'x'.repeat(256),
    stepIndex: null,
    stepName: '7',
    tags: { good: 'yes', number: '3' },
  })
  for (const nothing of [null, undefined, 'agent', 5]) {
    assert.equal(
      withAgent(nothing as unknown as AgentIdentity, () => 'ran'),
      'ran',
    )
  }
})

test('another copy of the library shares the context', async () => {
  const file = '../../../instrumentation/src/context/agent-context.ts?copy'
  const copy = (await import(new URL(file, import.meta.url).href)) as {
    currentAgentContext: typeof currentAgentContext
  }
  assert.notEqual(copy.currentAgentContext, currentAgentContext)
  assert.equal(
    withAgent({ agent: 'writer' }, () => copy.currentAgentContext()?.identity.agent),
    'writer',
  )
})
