import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Budget,
  type PolicyInput,
  policySchema,
  PriceCatalogue,
  rateToWire,
} from '@tokenfuse/protocol'
import type { Ask, AskOutcome } from '../../../../instrumentation/src/guard/credit/ask.ts'
import { CreditBook } from '../../../../instrumentation/src/guard/credit/credit-book.ts'

const RATE = rateToWire(new PriceCatalogue().rate('openai', 'gpt-4o-mini', null, 0))
/** Later than the second for which a process waits for a governor that may just be starting. */
const LATER_MS = 1_001

type BudgetInput = NonNullable<PolicyInput['budgets']>[number]

const budgets = (...list: BudgetInput[]): readonly Budget[] =>
  policySchema.parse({ version: 1, budgets: list }).budgets
const hard: BudgetInput = { id: 'hard', window: 'lifetime', limit: { tokens: 1_000 } }

let asks = 0
/** A call of 100 tokens of input and 100 of output at most. */
function ask(book: CreditBook, elapsedMs: number, task = 't'): AskOutcome {
  const question: Ask = {
    id: asks++,
    values: {
      ...{ tenant: 'default', agent: 'a', task, taskType: 'unknown', step: 's' },
      ...{ user: 'u', session: 'n', model: 'm', provider: 'openai', service: 'v', tags: {} },
    },
    rank: 1,
    profile: { agent: 'a', step: 's', provider: 'openai', model: 'gpt-4o-mini' },
    cost: () => ({
      inputTokens: 100,
      choices: 1,
      outputLimit: 100,
      outputBound: null,
      minimumOutput: 64,
      cappable: true,
      p95Output: 1_000,
      p99Output: 2_000,
      rate: null,
      step: null,
      writesCache: false,
    }),
    deadlineMs: elapsedMs,
  }
  return book.ask(question, away(elapsedMs))
}
const away = (elapsedMs: number) => ({ logMs: elapsedMs, elapsedMs, reachable: false })

/** A book that knows its budgets from before, of a process whose governor is away. */
function bookOf(list: readonly Budget[], onStart: 'allow' | 'refuse' = 'allow'): CreditBook {
  const book = new CreditBook(onStart)
  book.setPolicy(list, away(0))
  return book
}

/** How many calls go on, one after the other. */
function admitted(book: CreditBook, elapsedMs: number, task?: string): number {
  for (let count = 0; count < 10_000; count++) {
    if (ask(book, elapsedMs, task).type !== 'admit') return count
  }
  throw new Error('calls go on for ever')
}

test('without any policy the start rule decides, and what is let through says so', () => {
  assert.deepEqual(ask(new CreditBook('allow'), 0), {
    type: 'admit',
    cap: null,
    holds: [],
    basis: 'nothing',
  })
  assert.deepEqual(ask(new CreditBook('refuse'), 0), {
    type: 'refuse',
    budget: null,
    why: 'no_policy',
  })
})

test('a governor that may just be starting is waited for, once', () => {
  const book = bookOf(budgets(hard))
  assert.equal(ask(book, 0).type, 'wait')
  assert.equal(book.drain(away(LATER_MS)).length, 1)
  assert.equal(ask(book, LATER_MS).type, 'admit')
})

test('a process that never reached a governor spends no more of a budget than its limit, scope by scope', () => {
  const book = bookOf(budgets({ ...hard, per: ['task'] }))
  ask(book, 0)
  book.drain(away(LATER_MS))
  // 1,000 tokens are five calls of 200, of which one was the first.
  assert.equal(admitted(book, LATER_MS), 4)
  assert.equal(admitted(book, LATER_MS, 'other'), 5)
})

test('what a call costs is taken from prices of before, and else from the dearest there are', () => {
  const usd: BudgetInput = { id: 'usd', window: 'lifetime', limit: { usd: '0.3' } }
  const unknown = bookOf(budgets(usd))
  ask(unknown, 0)
  unknown.drain(away(LATER_MS))
  // 100 tokens at 300 (written to a cache) and 100 at 600 USD a million are 0.09 USD: three calls, one was the first.
  assert.equal(admitted(unknown, LATER_MS), 2)
  const known = bookOf(budgets(usd))
  known.useRatesOfBefore([{ provider: 'openai', model: 'gpt-4o-mini', rate: RATE }])
  ask(known, 0)
  known.drain(away(LATER_MS))
  // At 0.15 and 0.60 USD a million it is 75 micro-USD.
  assert.equal(admitted(known, LATER_MS), 0.3 / 0.000075 - 1)
})

test('the grace ends, a budget that refuses does so at once, one that allows never does', () => {
  const grace = bookOf(budgets({ ...hard, grace: '10s' }))
  assert.equal(ask(grace, 9_000).type, 'wait')
  assert.equal(ask(bookOf(budgets(hard), 'refuse'), 0).type, 'wait')
  for (const [list, onStart, type] of [
    [budgets({ ...hard, grace: '10s' }), 'allow', 'refuse'],
    [budgets({ ...hard, stale: 'refuse' }), 'allow', 'refuse'],
    [budgets(hard), 'refuse', 'refuse'],
    [budgets({ ...hard, stale: 'allow', bestEffort: true }), 'refuse', 'admit'],
  ] as const) {
    const book = bookOf(list, onStart)
    const first = ask(book, 9_500)
    const decided = first.type === 'wait' ? book.drain(away(10_501))[0]?.outcome : first
    assert.equal(decided?.type, type)
  }
})
