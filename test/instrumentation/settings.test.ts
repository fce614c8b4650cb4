import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDisabled, readSettings } from '../../instrumentation/src/settings.ts'

test('the environment says who calls by default', () => {
  const { defaults, problems } = readSettings({
    TOKENFUSE_AGENT: 'writer',
    TOKENFUSE_TASK: ' t-1 ',
    TOKENFUSE_TASK_TYPE: 'draft',
    TOKENFUSE_USER: 'u',
    TOKENFUSE_SESSION: 's',
    TOKENFUSE_TENANT: 'acme',
    TOKENFUSE_TAGS: 'team=blue,place=k%C3%B6ln,=x,broken,bad name=1',
    TOKENFUSE_CRITICALITY: 'best_effort',
    OTEL_SERVICE_NAME: 'api',
  })
  assert.deepEqual(problems, [])
  assert.deepEqual(defaults, {
    agent: 'writer',
    task: 't-1',
    taskType: 'draft',
    user: 'u',
    session: 's',
    tenant: 'acme',
    service: 'api',
    stepIndex: null,
    stepName: null,
    difficulty: null,
    criticality: 'best_effort',
    tags: { team: 'blue', place: 'köln' },
  })
})

test('an agent without a name is called as its service, and that as the resource says', () => {
  const resource = { OTEL_RESOURCE_ATTRIBUTES: 'a=b,service.name=from%20resource' }
  assert.equal(readSettings(resource).defaults.agent, 'from resource')
  const both = { ...resource, OTEL_SERVICE_NAME: 'from-name' }
  assert.equal(readSettings(both).defaults.agent, 'from-name')
  const { agent, service, task, tenant } = readSettings({}).defaults
  assert.deepEqual([agent, service, task, tenant], ['unknown', 'unknown', 'unknown', 'default'])
})

test('what is wrong is told, and the rest holds', () => {
  const { problems, extraHosts, defaults } = readSettings({
    TOKENFUSE_HOSTS: 'good:1=openai,what?',
    TOKENFUSE_CRITICALITY: 'urgent',
  })
  assert.equal(extraHosts.length, 1)
  assert.equal(defaults.criticality, 'normal')
  assert.equal(problems.length, 2)
  assert.match(problems.join('\n'), /TOKENFUSE_HOSTS.*what\?[^]*TOKENFUSE_CRITICALITY/)
})

test('it is switched off by any word that means yes', () => {
  const states = ['1', 'true', 'yes', 'TRUE', '', '0', 'false', 'off', undefined]
  const disabled = states.map((value) => isDisabled({ TOKENFUSE_DISABLED: value }))
  assert.deepEqual(disabled, [true, true, true, true, false, false, false, false, false])
})
