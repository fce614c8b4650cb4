import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LedgerEntry } from '../support/provider/client.ts'
import { judge, type Run, type Verdict } from '../verify/overshoot/judge.ts'
import { KINDS, type MadeCall } from '../verify/overshoot/load.ts'
import { brokenPromises, loadProblems } from '../verify/overshoot/promises.ts'
import { SharedCounter } from '../verify/overshoot/shared-counter.ts'

// A verification that cannot fail proves nothing: each test plants one fault in a run without any.

const LIMIT = 1_000n

/** A call of 20 tokens of input, one after the other from 0 ms on, each of 10 ms. */
function entry(index: number, output: number, overrides: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    sequence: index,
    requestId: `req_${index}`,
    responseId: `chatcmpl-${index}`,
    endpoint: 'openai.chat',
    model: 'gpt-4o-2024-08-06',
    serviceTier: null,
    stream: false,
    label: `0-0-${index}`,
    attempt: 0,
    fault: null,
    startedAt: index * 10,
    endedAt: index * 10 + 10,
    status: 200,
    outcome: 'completed',
    tokens: { input: 20, cached: 0, cacheWrite5m: 0, cacheWrite1h: 0, output, reasoning: 0 },
    extras: [],
    webSearches: 0,
    costPicoUsd: String(20n * 2_500_000n + BigInt(output) * 10_000_000n),
    usageSent: true,
    maxOutputTokens: 100,
    choices: 1,
    wantedOutput: output,
    finish: 'stop',
    ...overrides,
  }
}
function made(index: number, outcome: MadeCall['outcome'], endedAt: number): MadeCall {
  const error = outcome === 'answered' ? null : 'no'
  return { label: `0-0-${index}`, startedAt: endedAt - 10, endedAt, outcome, error }
}

/** Ten calls of 20 + 80 fill the limit; one is refused after them. */
const LEDGER = Array.from({ length: 10 }, (_, index) => entry(index, 80))
const MADE = [
  ...LEDGER.map(({ endedAt }, index) => made(index, 'answered', endedAt)),
  made(10, 'refused', 101),
]
const VERDICTS = new Map<string, Verdict>(
  LEDGER.map(({ responseId, startedAt }) => [
    responseId ?? '',
    { admittedAt: startedAt, cap: 100 },
  ]),
)
const RUN: Run = {
  unit: 'tokens',
  limit: LIMIT,
  ledger: LEDGER,
  made: MADE,
  verdicts: VERDICTS,
  lost: null,
  counted: 1_000n,
}
const broken = (overrides: Partial<Run>): string[] => {
  const run = { ...RUN, ...overrides }
  return brokenPromises(judge(run), run)
}

test('a budget that is filled and not passed breaks no promise', () => {
  assert.deepEqual(broken({}), [])
  const figures = judge(RUN)
  assert.deepEqual([figures.billed, figures.answered, figures.refused], [1_000n, 10, 1])
  // Ten calls of 100 and a refused one like them: 1,100 of 1,000, and 1,000 are ten calls of the eleven's 100.
  assert.deepEqual([figures.offeredRatio, figures.limitInMeanCalls], [1.1, 10])
})

test('more than a hundredth over the limit is a broken promise, a hundredth is none', () => {
  const longer = (output: number) => [...LEDGER.slice(1), entry(0, output)]
  assert.deepEqual(broken({ ledger: longer(90), counted: 1_010n }), [])
  assert.deepEqual(broken({ ledger: longer(91), counted: 1_011n }), [
    'billed 1,011, over the limit by more than 1 %',
  ])
})

test('output tokens beyond the cap are seen, though the stand-in was asked for more', () => {
  const verdicts = new Map(VERDICTS).set('chatcmpl-4', { admittedAt: 40, cap: 77 })
  assert.deepEqual(broken({ verdicts }), ['3 output tokens came beyond their bound'])
})

test('a refusal is too early while spent and in flight leave more than a fiftieth of the limit', () => {
  // Nine calls had begun by 89 ms, and ten by 90: 900 and 1,000 of 1,000.
  const refusedAt = (atMs: number) => [...MADE.slice(0, 10), made(10, 'refused', atMs)]
  const early = 'calls were refused while over 2 % of the limit was free'
  assert.deepEqual(broken({ made: refusedAt(89) }), [`1 ${early}`])
  assert.deepEqual(broken({ made: refusedAt(90) }), [])
  // Let out before it came to the stand-in, a call is under way.
  const verdicts = new Map(VERDICTS).set('chatcmpl-9', { admittedAt: 88, cap: 100 })
  assert.deepEqual(broken({ made: refusedAt(89), verdicts }), [])
})

test('what a killed agent had is nobody’s from then on, and what it spent of that counts once', () => {
  // Its last two calls, 200, were billed and never metered; 300 were charged for what it had.
  const verdicts = new Map([...VERDICTS].slice(0, 8))
  const lost = { held: 300n, unconfirmed: 300n, fromMs: 85 }
  const refusedAt = (atMs: number) => [...MADE.slice(0, 8), made(10, 'refused', atMs)]
  const least = (atMs: number) =>
    judge({ ...RUN, verdicts, lost, made: refusedAt(atMs) }).leastTakenRatio
  // 800 metered and 300 charged; before the kill it was 800 and the 100 of a call that was under way.
  assert.deepEqual([least(100), least(84)], [1.1, 0.9])
  // Charged is more than spent, or as much, and never less.
  assert.deepEqual(broken({ verdicts, lost, counted: 1_100n }), [])
  assert.deepEqual(broken({ verdicts, lost, counted: 999n }), ['billed 1,000, counted 999'])
})

test('refused calls that are billed, no refusal at all, and a counter that differs are seen', () => {
  assert.deepEqual(broken({ made: [...MADE, made(3, 'refused', 101)] }), [
    '1 refused calls reached the stand-in',
  ])
  assert.deepEqual(broken({ made: MADE.slice(0, 10) }), ['nothing was refused'])
  assert.deepEqual(broken({ counted: 990n }), ['billed 1,000, counted 990'])
})

test('truncated are answers that the guard has cut, not those that the app has', () => {
  const cut = (index: number) => entry(index, 100, { finish: 'length' })
  const ledger = [cut(0), cut(1), ...LEDGER.slice(2)]
  const verdicts = new Map(VERDICTS).set('chatcmpl-1', { admittedAt: 10, cap: null })
  assert.equal(judge({ ...RUN, ledger, verdicts }).truncated, 1)
})

test('a load that is none shows nothing, and is said to be none', () => {
  // From the eighth call of a caller on answers are longer, and none of those came.
  const run = {
    ...RUN,
    ledger: LEDGER.slice(0, 7),
    made: [...MADE.slice(0, 7), made(11, 'failed', 120)],
  }
  assert.deepEqual(loadProblems(judge(run), run), [
    'only 0.70 times the limit was offered',
    'the limit is 10 calls',
    'the answers never grew',
    '0-0-11: no',
  ])
})

test('in USD amounts are to the pico-USD, and what an answer wanted has its model’s price', () => {
  const cut = entry(0, 80, { wantedOutput: 180 })
  // 20 x 2.5 + 80 x 10 USD a million are 850,000,000 pico-USD; 100 more tokens would have been 1,000,000,000.
  const figures = judge({ ...RUN, unit: 'picoUsd', limit: 850_000_000n, ledger: [cut], made: [] })
  assert.equal(figures.billed, 850_000_000n)
  assert.equal(figures.offeredRatio, 1_850 / 850)
})

test('half of the calls set no limit, half are streams, and a third carry tools', () => {
  const share = (fits: (kind: (typeof KINDS)[number]) => boolean) =>
    KINDS.filter(fits).length / KINDS.length
  assert.equal(
    share(({ maxTokens }) => maxTokens === null),
    1 / 2,
  )
  assert.equal(
    share(({ stream }) => stream),
    1 / 2,
  )
  assert.equal(
    share(({ tools }) => tools),
    1 / 3,
  )
})

test('the shared counters do what they are called', () => {
  const ask = { inputTokens: 50, maxTokens: null }
  const settlement = { inputTokens: 60, outputTokens: 40 }
  const checking = new SharedCounter('check then increment', 100)
  // Nobody has told the counter yet, so all are let out.
  assert.deepEqual(
    [checking.ask(ask), checking.ask(ask)].map(({ isAllowed }) => isAllowed),
    [true, true],
  )
  checking.settle({ reserved: 0, ...settlement })
  assert.equal(checking.ask(ask).isAllowed, false)

  const reserving = new SharedCounter('reserve the 95th percentile', 2_200)
  // 50 and 1,000 as long as nothing is known of answers: two fit into 2,200, three do not.
  const reserved = [reserving.ask(ask), reserving.ask(ask), reserving.ask(ask)]
  assert.deepEqual(
    reserved.map(({ isAllowed }) => isAllowed),
    [true, true, false],
  )
  reserving.settle({ reserved: 1_050, ...settlement })
  // 100 spent and 1,050 reserved leave 1,050.
  assert.equal(reserving.ask({ inputTokens: 51, maxTokens: null }).isAllowed, false)
  assert.equal(reserving.ask(ask).isAllowed, true)
  assert.equal(reserving.ask({ inputTokens: 1, maxTokens: 10 }).isAllowed, false)
})
