import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  billedTokens,
  EMPTY_POLICY,
  type LogEvent,
  logEventSchema,
  zoneOffsets,
} from '@tokenfuse/protocol'
import { tickEvent } from '../support/tick.ts'
import { usageEvent } from '../support/usage-event.ts'

const EVENTS: LogEvent[] = [
  usageEvent(),
  {
    type: 'credit.report',
    v: 1,
    tenant: 'default',
    guard: 'guard-0001',
    sequence: 7,
    closing: false,
    accounts: [],
  },
  {
    type: 'task.end',
    v: 1,
    tenant: 'default',
    task: 't-1',
    agent: 'writer',
    taskType: null,
    outcome: 'completed',
    time: '2026-01-02T03:04:05.678Z',
  },
  {
    type: 'policy.set',
    v: 1,
    tenant: 'default',
    basedOn: null,
    policy: EMPTY_POLICY,
    zone: zoneOffsets('UTC', 0, 1),
  },
  {
    type: 'override.set',
    v: 1,
    tenant: 'default',
    id: 'o-1',
    budget: 'loop',
    scope: '*',
    add: '1000',
    reason: 'demo',
    by: 'operator',
    until: null,
  },
  {
    type: 'decision.lift',
    v: 1,
    tenant: 'default',
    decision: 'd4-0',
    reason: 'demo',
    by: 'operator',
  },
  tickEvent(),
]

test('every kind of event is valid and comes through JSON unchanged', () => {
  for (const event of EVENTS) {
    assert.deepEqual(logEventSchema.parse(JSON.parse(JSON.stringify(event))), event)
  }
})

test('unknown counts are null and cannot be left out or negative', () => {
  const { tokens, ...rest } = usageEvent()
  const accepts = (changed: object) =>
    logEventSchema.safeParse({ ...rest, tokens: { ...tokens, ...changed } }).success
  assert.ok(accepts({ input: null, output: null }))
  for (const input of [undefined, -1, 1.5, Number.NaN, '10', 2 ** 53]) {
    assert.ok(!accepts({ input }), String(input))
  }
})

test('money is a whole decimal string, never a number', () => {
  const accepts = (costPicoUsd: unknown) =>
    logEventSchema.safeParse({ ...usageEvent(), costPicoUsd }).success
  assert.ok(accepts('123456789012345678901234567890'))
  for (const cost of [4820000000, '4.82', '-1', '', '1e9']) assert.ok(!accepts(cost), String(cost))
})

test('billed tokens are those of every model of the call, without searches', () => {
  const charge = (kind: 'input' | 'cache_read' | 'output' | 'web_search', quantity: number) =>
    ({
      kind,
      part: 'message',
      model: 'm',
      quantity,
      unit: kind === 'web_search' ? 'request' : 'token',
      picoUsd: '1',
    }) as const
  assert.deepEqual(
    billedTokens([
      charge('input', 100),
      charge('cache_read', 50),
      charge('output', 7),
      charge('output', 3),
      charge('web_search', 2),
    ]),
    { input: 150, output: 10 },
  )
})
