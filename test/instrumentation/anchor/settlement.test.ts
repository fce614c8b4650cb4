import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ResponseFacts } from '@tokenfuse/instrumentation/providers'
import type { UsagePart } from '@tokenfuse/protocol'
import { failureEnding } from '../../../instrumentation/src/anchor/ending.ts'
import type { Ending } from '../../../instrumentation/src/anchor/ending.ts'
import { settle } from '../../../instrumentation/src/anchor/settlement.ts'

const PART: UsagePart = {
  part: 'message',
  model: null,
  webSearches: 0,
  tokens: { input: 5, cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0, output: 2, reasoning: null },
}
const WITHOUT_INPUT: UsagePart = { ...PART, tokens: { ...PART.tokens, input: null } }
const facts = (overrides: Partial<ResponseFacts> = {}): ResponseFacts => ({
  responseId: null,
  responseModel: null,
  serviceTier: null,
  finishReasons: [],
  parts: [],
  source: null,
  problems: [],
  error: null,
  outputText: '',
  ...overrides,
})
const answer = (
  statusCode: number,
  overrides: Partial<ResponseFacts> | null = {},
  reason: 'complete' | 'aborted' | 'failed' = 'complete',
): Ending => ({
  kind: 'response',
  statusCode,
  facts: overrides && facts(overrides),
  reason,
})

test('what a call costs: what its provider says, nothing where it cannot have cost anything, else an estimate', () => {
  const said = { parts: [PART], source: 'provider' } as const
  const partly = { parts: [PART], source: 'partial' } as const
  const rows: [string, Ending, source: string, estimate: string, error: string | null, string[]][] =
    [
      ['usage', answer(200, said), 'provider', 'nothing', null, []],
      ['usage, then given up', answer(200, said, 'aborted'), 'provider', 'nothing', null, []],
      [
        'usage so far',
        answer(200, partly, 'failed'),
        'partial',
        'nothing',
        null,
        ['response_broken'],
      ],
      [
        'usage so far, and some text',
        answer(200, { ...partly, outputText: 'so far' }, 'failed'),
        'partial',
        'output',
        null,
        ['response_broken'],
      ],
      [
        'some text, and usage without input',
        answer(200, { parts: [WITHOUT_INPUT], source: 'partial', outputText: 'so far' }, 'aborted'),
        'partial',
        'all',
        null,
        ['response_aborted'],
      ],
      ['an error with usage', answer(500, said), 'provider', 'nothing', '500', []],
      ['an error', answer(429, { error: 'slow_down' }), 'provider', 'nothing', 'slow_down', []],
      [
        'an error, unreadable',
        answer(502, null),
        'provider',
        'nothing',
        '502',
        ['response_unreadable'],
      ],
      [
        'no usage',
        answer(200, { problems: ['usage_missing'] }),
        'estimate',
        'all',
        null,
        ['usage_missing'],
      ],
      ['cut off', answer(200, {}, 'failed'), 'estimate', 'all', null, ['response_broken']],
      ['unreadable', answer(200, null), 'estimate', 'input', null, ['response_unreadable']],
      [
        'never sent',
        failure('ECONNREFUSED'),
        'provider',
        'nothing',
        'ECONNREFUSED',
        ['request_not_sent'],
      ],
      ['lost', failure('ECONNRESET'), 'estimate', 'input', 'ECONNRESET', ['no_response']],
    ]
  for (const [name, ending, source, estimate, error, problems] of rows) {
    const settled = settle(ending)
    const found = [settled.source, settled.estimate, settled.error, settled.problems]
    assert.deepEqual(found, [source, estimate, error, problems], name)
    // Nothing is known of what nobody said: no part stands for 0.
    assert.equal(
      settled.parts.length,
      ending.kind === 'response' ? (ending.facts?.parts.length ?? 0) : 0,
    )
  }
})

test('an app that gives a call up may do so with a reason of its own', () => {
  const ending = failureEnding(new Error('the reason that the app gave'), true)
  assert.deepEqual(ending, { kind: 'no_response', error: 'aborted', wasSent: true })
})

test('what fetch rejects with tells whether anything can have been billed', () => {
  const fetchFailed = (cause: unknown) => new TypeError('fetch failed', { cause })
  const several = new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')])
  const rows: [error: unknown, name: string, wasSent: boolean][] = [
    [fetchFailed(coded('ENOTFOUND')), 'ENOTFOUND', false],
    [fetchFailed(several), 'ECONNREFUSED', false],
    [fetchFailed(coded('CERT_HAS_EXPIRED')), 'CERT_HAS_EXPIRED', false],
    [fetchFailed(coded('UND_ERR_SOCKET')), 'UND_ERR_SOCKET', true],
    [fetchFailed(coded('UND_ERR_HEADERS_TIMEOUT')), 'UND_ERR_HEADERS_TIMEOUT', true],
    [new TypeError('bad arguments'), 'TypeError', false],
    [new DOMException('stop', 'AbortError'), 'aborted', true],
    [new DOMException('too late', 'TimeoutError'), 'timeout', true],
    [new Error('something else'), 'Error', true],
    ['a reason that is no error', 'Error', true],
    [undefined, 'Error', true],
  ]
  for (const [error, name, wasSent] of rows) {
    assert.deepEqual(failureEnding(error), { kind: 'no_response', error: name, wasSent })
  }
})

const coded = (code: string) => Object.assign(new Error(code), { code })
const failure = (code: string) =>
  failureEnding(new TypeError('fetch failed', { cause: coded(code) }))
