import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '@tokenfuse/protocol'
import { withAgent } from '../../../instrumentation/src/context/agent-context.ts'
import { currentAttribution } from '../../../instrumentation/src/context/attribution.ts'
import type { AgentIdentity } from '../../../instrumentation/src/context/identity.ts'
import type { Attribution } from '../../../instrumentation/src/telemetry/call-record.ts'

const NOBODY: Attribution = {
  agent: 'unknown',
  task: 'unknown',
  user: 'unknown',
  session: 'unknown',
  tenant: 'default',
  service: 'unknown',
  taskType: null,
  stepIndex: null,
  stepName: null,
  difficulty: null,
  criticality: 'normal',
  tags: {},
}

/** For whom a call inside of these scopes works, as `agent/task`. */
function callersIn(scopes: readonly AgentIdentity[], defaults = NOBODY): string[] | undefined {
  const [scope, ...inner] = scopes
  if (scope) return withAgent(scope, () => callersIn(inner, defaults))
  return currentAttribution(defaults).callers?.map(({ agent, task }: Caller) => `${agent}/${task}`)
}

test('an agent works for those around it, outermost first, each with its task', () => {
  assert.deepEqual(
    callersIn([
      { agent: 'planner', task: 't-1' },
      { agent: 'searcher' },
      { agent: 'reader', task: 't-2' },
    ]),
    ['planner/t-1', 'searcher/t-1'],
  )
})

test('an agent that takes a step, or sets a user, is the same agent on the same task and no caller of itself', () => {
  assert.equal(callersIn([{ agent: 'planner', task: 't-1' }]), undefined)
  assert.equal(
    callersIn([{ agent: 'planner', task: 't-1' }, { step: 1 }, { user: 'u' }]),
    undefined,
  )
  assert.deepEqual(
    callersIn([{ agent: 'planner' }, { step: 1 }, { agent: 'searcher' }, { step: 2 }]),
    ['planner/unknown'],
  )
})

test('who the process is by default is the outermost caller', () => {
  const defaults = { ...NOBODY, agent: 'service', task: 'job-7' }
  assert.deepEqual(callersIn([{ agent: 'planner' }], defaults), ['service/job-7'])
  assert.equal(callersIn([{ step: 1 }], defaults), undefined)
})

test('an agent that calls itself through others is one caller, and nesting without end is bounded', () => {
  assert.deepEqual(callersIn([{ agent: 'a' }, { agent: 'b' }, { agent: 'a' }, { agent: 'c' }]), [
    'a/unknown',
    'b/unknown',
  ])
  const deep = Array.from({ length: 50 }, (_, index) => ({ agent: `a-${index}` }))
  assert.deepEqual(callersIn(deep)?.length, 8)
  assert.equal(callersIn(deep)?.[0], 'a-0/unknown')
})
