import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { eventOf, metered } from './metered.ts'
import { attributes, otlpRequest, otlpSpan } from './otlp.ts'

const CHAT = { 'gen_ai.operation.name': 'chat' }

suite('attribution', () => {
  test('takes the session, or else the conversation', () => {
    const conversation = { ...CHAT, 'gen_ai.conversation.id': 'c-1' }
    assert.equal(eventOf(otlpSpan(conversation)).session, 'c-1')
    assert.equal(eventOf(otlpSpan({ ...conversation, 'session.id': 's-1' })).session, 's-1')
  })

  test('may be given by the resource for all its spans, each of which may say otherwise', () => {
    const resource = {
      'service.name': 'api',
      'gen_ai.agent.name': 'planner',
      'tokenfuse.tenant': 'acme',
      'tokenfuse.tag.team': 'red',
      'tokenfuse.tag.env': 'prod',
      // No attribution, so a resource cannot say it.
      'gen_ai.usage.input_tokens': 7,
      'tokenfuse.usage.counted': true,
    }
    const first = eventOf(otlpSpan(CHAT), resource)
    assert.deepEqual(
      [first.service, first.agent, first.tenant, first.tags],
      ['api', 'planner', 'acme', { team: 'red', env: 'prod' }],
    )
    assert.equal(first.tokens.input, null)
    const own = { ...CHAT, 'gen_ai.agent.name': 'writer', 'tokenfuse.tag.team': 'blue' }
    const second = eventOf(otlpSpan(own), resource)
    assert.deepEqual([second.agent, second.tags], ['writer', { team: 'blue', env: 'prod' }])
  })

  test('of one span or resource never reaches another', () => {
    const named = otlpSpan({ ...CHAT, 'user.id': 'u-1', 'tokenfuse.tag.a': 'b' })
    const bare = otlpSpan(CHAT)
    const [resourceA] = otlpRequest([named, bare], { 'service.name': 'a' }).resourceSpans
    const [resourceB] = otlpRequest([bare]).resourceSpans
    assert.ok(resourceA && resourceB)
    const { events } = metered({ resourceSpans: [resourceA, resourceB, resourceA] })
    assert.deepEqual(
      events.map(({ user, service, tags }) => [user, service, tags]),
      [
        ['u-1', 'a', { a: 'b' }],
        ['unknown', 'a', {}],
        ['unknown', 'unknown', {}],
        ['u-1', 'a', { a: 'b' }],
        ['unknown', 'a', {}],
      ],
    )
  })

  test('takes numbers and truth values for names, and what is no name for none', () => {
    const values = { ...CHAT, 'user.id': 42, 'tokenfuse.task.id': false, 'session.id': '' }
    const event = eventOf(otlpSpan({ ...values, 'gen_ai.agent.name': ['a'], 'tokenfuse.tag.n': 1 }))
    const { user, task, session, agent, tags } = event
    assert.deepEqual(
      [user, task, session, agent, tags],
      ['42', 'false', 'unknown', 'unknown', { n: '1' }],
    )
  })

  test('reads a step from a number or its text, and a criticality only where it is one', () => {
    const stepOf = (step: unknown) =>
      eventOf(otlpSpan({ ...CHAT, 'tokenfuse.step.index': step })).step
    assert.deepEqual([3, '3', -1, 1.5, 'x', 2n ** 60n].map(stepOf), [3, 3, -1, null, null, null])
    const odd = { ...CHAT, 'tokenfuse.criticality': 'whatever' }
    assert.equal(eventOf(otlpSpan(odd)).criticality, 'normal')
  })
})

suite('bounds', () => {
  test('long names are shortened, apart from each other, and counted', () => {
    const long = 'x'.repeat(300)
    const { events, shortened } = metered(
      otlpRequest([
        otlpSpan({ ...CHAT, 'tokenfuse.task.id': `${long}a`, 'gen_ai.response.id': `${long}b` }),
        otlpSpan({ ...CHAT, 'tokenfuse.task.id': `${long}c` }),
      ]),
    )
    const [first, second] = events
    assert.ok(first && second)
    assert.equal(first.task.length, 256)
    assert.notEqual(first.task, second.task)
    assert.equal(shortened.names, 3)
  })

  test('of more than 16 tags or 64 tool keys the rest is dropped and counted', () => {
    const tags = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`tokenfuse.tag.t${i}`, `v${i}`]),
    )
    const keys = Array.from({ length: 70 }, (_, i) => `k${i}`)
    const span = otlpSpan({ ...CHAT, ...tags, 'tokenfuse.tool.call.keys': keys })
    const { events, shortened } = metered(otlpRequest([span]))
    assert.equal(Object.keys(events[0]?.tags ?? {}).length, 16)
    // A loop shows in the newest keys.
    assert.deepEqual(events[0]?.toolCallKeys, keys.slice(6))
    assert.deepEqual(shortened, { names: 0, tags: 4, keys: 6 })
  })

  test('names of tags cannot reach beyond the tags', () => {
    const names = ['__proto__', 'constructor', 'größe', 'a.b']
    const span = otlpSpan(
      {},
      {
        attributes: [
          ...attributes(CHAT),
          ...names.flatMap((n) => attributes({ [`tokenfuse.tag.${n}`]: n })),
        ],
      },
    )
    const { events, shortened } = metered(otlpRequest([span]))
    assert.deepEqual(Object.keys(events[0]?.tags ?? {}), names.slice(1))
    assert.equal(shortened.tags, 1)
  })
})
