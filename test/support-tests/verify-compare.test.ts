import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageEvent } from '@tokenfuse/protocol'
import type { LedgerEntry } from '../support/provider/client.ts'
import { usageEvent } from '../support/usage-event.ts'
import { compare } from '../verify/calls/compare.ts'

// A verification that cannot fail proves nothing: each test plants one fault, or shows that none is seen where none is.

const ENTRY: LedgerEntry = {
  sequence: 1,
  requestId: 'req_1',
  responseId: 'chatcmpl-1',
  endpoint: 'openai.chat',
  model: 'gpt-4o-2024-08-06',
  serviceTier: null,
  stream: false,
  label: 'chat#a-1',
  attempt: 0,
  fault: null,
  startedAt: 1,
  endedAt: 2,
  status: 200,
  outcome: 'completed',
  tokens: { input: 100, cached: 40, cacheWrite5m: 0, cacheWrite1h: 0, output: 10, reasoning: 0 },
  extras: [],
  webSearches: 0,
  costPicoUsd: '300000000',
  usageSent: true,
  maxOutputTokens: null,
  choices: 1,
  wantedOutput: 10,
  finish: 'stop',
}
const EVENT: UsageEvent = usageEvent({
  responseId: 'chatcmpl-1',
  responseModel: 'gpt-4o-2024-08-06',
  tags: { call: 'chat#a-1' },
  tokens: {
    input: 100,
    cacheRead: 40,
    cacheWrite: null,
    cacheWrite1h: null,
    output: 10,
    reasoning: null,
  },
  charges: [],
  costPicoUsd: '300000000',
  priced: 'exact',
  source: 'provider',
  error: null,
})
const FREE: LedgerEntry = {
  ...ENTRY,
  responseId: null,
  status: 429,
  outcome: 'error',
  costPicoUsd: '0',
  usageSent: false,
}
const UNNAMED: UsageEvent = { ...EVENT, responseId: null, costPicoUsd: '0', tokens: nothing() }

function nothing(): UsageEvent['tokens'] {
  const none = null
  return {
    input: none,
    cacheRead: none,
    cacheWrite: none,
    cacheWrite1h: none,
    output: none,
    reasoning: none,
  }
}

function verdicts(entries: LedgerEntry[], events: UsageEvent[]): string[] {
  return compare(entries, events).map(({ verdict }) => verdict)
}

test('a call that was metered as it was billed is equal', () => {
  assert.deepEqual(verdicts([ENTRY], [EVENT]), ['equal'])
})

test('one token or one pico-USD of difference is a mismatch', () => {
  for (const count of ['input', 'cacheRead', 'cacheWrite', 'cacheWrite1h', 'output', 'reasoning']) {
    const tokens = { ...EVENT.tokens, [count]: 1 }
    assert.deepEqual(verdicts([ENTRY], [{ ...EVENT, tokens }]), ['mismatched'], count)
  }
  assert.deepEqual(verdicts([ENTRY], [{ ...EVENT, costPicoUsd: '300000001' }]), ['mismatched'])
})

test('another model, a price that is not exact, or an estimate in place of the usage is a mismatch', () => {
  const model = { ...EVENT, responseModel: 'gpt-4o' }
  const priced = { ...EVENT, priced: 'fallback' as const }
  const source = { ...EVENT, source: 'estimate' as const }
  for (const event of [model, priced, source]) {
    assert.deepEqual(verdicts([ENTRY], [event]), ['mismatched'])
  }
})

test('a charge beside the answer that was not metered is a mismatch', () => {
  const advisor = { kind: 'advisor' as const, model: 'claude-opus-4-7', input: 5, output: 5 }
  const entry = { ...ENTRY, extras: [advisor] }
  const tokens = { ...EVENT.tokens, input: 105, output: 15 }
  assert.deepEqual(verdicts([entry], [{ ...EVENT, tokens }]), ['mismatched'])
  assert.deepEqual(verdicts([{ ...ENTRY, webSearches: 1 }], [EVENT]), ['mismatched'])
})

test('a call that is missing on either side, or counted twice, is a mismatch', () => {
  assert.deepEqual(verdicts([ENTRY], []), ['mismatched'])
  assert.deepEqual(verdicts([], [EVENT]), ['mismatched'])
  assert.deepEqual(verdicts([ENTRY], [EVENT, { ...EVENT }]), ['equal', 'mismatched'])
})

test('without usage only a labelled estimate will do', () => {
  const entry = { ...ENTRY, usageSent: false }
  assert.deepEqual(verdicts([entry], [{ ...EVENT, source: 'partial' }]), ['estimated'])
  assert.deepEqual(verdicts([entry], [EVENT]), ['mismatched'])
})

test('an attempt that was refused is free, and is not taken for the one that was billed', () => {
  const again = { ...ENTRY, attempt: 1 }
  assert.deepEqual(verdicts([FREE, again], [UNNAMED, EVENT]).toSorted(), ['equal', 'free'])
  assert.deepEqual(verdicts([FREE, again], [EVENT]).toSorted(), ['equal', 'free'])
  const costly = { ...UNNAMED, costPicoUsd: '5', source: 'estimate' as const }
  assert.deepEqual(verdicts([FREE, again], [costly, EVENT]).toSorted(), ['equal', 'mismatched'])
})

test('a connection that broke before an answer may be estimated, since nobody can know its bill', () => {
  const reset = { ...FREE, status: null }
  const event = { ...UNNAMED, costPicoUsd: '5', source: 'estimate' as const }
  assert.deepEqual(verdicts([reset], [event]), ['estimated'])
  assert.deepEqual(verdicts([reset], [{ ...event, source: 'provider' }]), ['mismatched'])
})
