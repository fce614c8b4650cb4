import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageEvent } from '@tokenfuse/protocol'
import { usageEvent } from '../../support/usage-event.ts'
import { Governor } from '../../../processor/src/governor/governor.ts'
import { applyChanges, Governing, iso, NOON_MS } from './governing.ts'

const BUDGETS = [
  { id: 'agent', per: ['agent'], window: 'day', limit: { tokens: 1000 } },
  { id: 'money', window: 'lifetime', limit: { usd: 1 } },
  { id: 'last-day', window: 'rolling 24h', limit: { tokens: 1000 } },
  { id: 'calls', window: 'day', limit: { calls: 10 } },
] as never

const TRACE = 'a'.repeat(32)
const SPAN = 'b'.repeat(16)
const PARENT = 'c'.repeat(16)

/** A call told by so many tokens, at one micro-USD each. */
function told(input: number, output: number, overrides: Partial<UsageEvent>): UsageEvent {
  const charge = (kind: 'input' | 'output', quantity: number) => {
    const picoUsd = `${quantity}000000`
    return { kind, part: 'message', model: 'm', quantity, unit: 'token', picoUsd } as const
  }
  return usageEvent({
    agent: 'writer',
    time: iso(NOON_MS),
    traceId: TRACE,
    charges: [charge('input', input), charge('output', output)],
    costPicoUsd: `${input + output}000000`,
    ...overrides,
  })
}

const estimate = told(400, 300, {
  spanId: SPAN,
  parentSpanId: PARENT,
  responseId: 'r-1',
  source: 'estimate',
})

function counting(...events: UsageEvent[]): Governing {
  const governing = new Governing()
  governing.setPolicy({ budgets: BUDGETS })
  for (const event of events) governing.apply(event)
  return governing
}

const spentOf = ({ governor }: Governing) =>
  Object.fromEntries(governor.budgets().map(({ budget, spent }) => [budget, spent]))

const TELLINGS = {
  'of the same answer': told(410, 90, { responseId: 'r-1', agent: 'unknown', source: 'provider' }),
  'of the span around it': told(410, 90, { spanId: PARENT, responseId: null, source: 'provider' }),
} as const

for (const [name, better] of Object.entries(TELLINGS)) {
  test(`an estimate is replaced by the provider's usage ${name}, by the difference`, () => {
    const later = counting(estimate, better)
    const expected = { agent: '500', money: '500000000', 'last-day': '500', calls: '1' }
    assert.deepEqual(spentOf(later), expected)
    const { calls, estimatedCalls, inputTokens, outputTokens } = later.governor.total()
    assert.deepEqual(
      { calls, estimatedCalls, inputTokens, outputTokens },
      { calls: 1, estimatedCalls: 0, inputTokens: 410, outputTokens: 90 },
    )
  })
}

test('an estimate that comes after the provider’s usage of the same answer changes nothing', () => {
  const better = TELLINGS['of the same answer']
  assert.deepEqual(spentOf(counting(better, estimate)), spentOf(counting(better)))
})

test('what is told a third time, or no more surely, changes nothing', () => {
  const better = TELLINGS['of the same answer']
  const again = told(9, 9, { responseId: 'r-1', source: 'provider' })
  const another = told(9, 9, { responseId: 'r-1', source: 'estimate' })
  assert.deepEqual(
    spentOf(counting(estimate, another, better, again)),
    spentOf(counting(estimate, better)),
  )
})

test('a better telling that lowers what is spent ends a decision, and one that raises it makes one', () => {
  const decided = ({ governor }: Governing) =>
    governor.decisions().map(({ budget, action }) => `${budget} ${action}`)
  const high = told(900, 50, { spanId: SPAN, responseId: 'r-1', source: 'partial' })
  const low = told(10, 5, { responseId: 'r-1', source: 'provider' })
  assert.deepEqual(decided(counting(high)), ['agent warn', 'last-day warn'])
  assert.deepEqual(decided(counting(high, low)), [])
  const over = told(900, 200, { responseId: 'r-1', source: 'provider' })
  assert.deepEqual(decided(counting(estimate, over)), ['agent block', 'last-day block'])
})

test('an estimate is known again from a snapshot', () => {
  const governing = counting(estimate)
  const records = applyChanges(new Map(), governing.governor)
  governing.governor = Governor.restore(records)
  governing.apply(TELLINGS['of the same answer'])
  assert.equal(spentOf(governing)['agent'], '500')
})

test('less usage of a call that its budget has forgotten takes nothing out: what is counted never falls below nothing', () => {
  const governing = counting(estimate)
  const perUser = [{ id: 'agent', per: ['user'], window: 'day', limit: { tokens: 1000 } }]
  governing.setPolicy({ budgets: perUser as never })
  governing.apply(told(10, 10, { spanId: PARENT, responseId: 'r-1' }))
  assert.deepEqual(spentOf(governing), { agent: '0' })
})
