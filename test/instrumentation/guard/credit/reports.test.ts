import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Account,
  type Budget,
  type CreditRequest,
  policySchema,
  PriceCatalogue,
  rateToWire,
} from '@tokenfuse/protocol'
import type { Ask, Now } from '../../../../instrumentation/src/guard/credit/ask.ts'
import { CreditBook } from '../../../../instrumentation/src/guard/credit/credit-book.ts'
import { CreditReports } from '../../../../instrumentation/src/guard/credit/reports.ts'

const PROFILE = { agent: 'a', step: 's', provider: 'openai', model: 'gpt-4o' }
const RATE = rateToWire(new PriceCatalogue().rate('openai', 'gpt-4o', null, 0))
const BUDGETS: readonly Budget[] = policySchema.parse({
  version: 1,
  budgets: [{ id: 'hard', window: 'lifetime', limit: { tokens: 10_000 } }],
}).budgets
const WINDOW_FROM_MS = 0
/** 100 of input and 400 of output. */
const NEED = 500n

const at = (elapsedMs: number): Now => ({ logMs: elapsedMs, elapsedMs, reachable: true })
const ask = (id: number): Ask => ({
  id,
  values: {
    ...{ tenant: 'default', agent: 'a', task: 't', taskType: 'unknown', step: 's' },
    ...{ user: 'u', session: 'n', model: 'gpt-4o', provider: 'openai', service: 'v', tags: {} },
  },
  rank: 1,
  profile: PROFILE,
  cost: () => ({
    inputTokens: 100,
    choices: 1,
    outputLimit: 400,
    outputBound: 128_000,
    minimumOutput: 400,
    cappable: true,
    p95Output: 400,
    p99Output: 400,
    rate: null,
    step: null,
    writesCache: false,
  }),
  deadlineMs: 60_000,
})
const account = (lent: bigint, state: Account['state'] = 'waiting'): Account => ({
  budget: 'hard',
  scope: '*',
  windowFromMs: WINDOW_FROM_MS,
  windowUntilMs: null,
  since: 1,
  unit: 'tokens',
  limit: '10000',
  spent: '0',
  lent: String(lent),
  fairShare: '500',
  state,
})
const RECALL = [{ budget: 'hard', scope: '*' }]

/** A guard of one budget, and a governor that says what the test says. */
class Guard {
  readonly book = new CreditBook('allow')
  readonly #reports = new CreditReports(this.book, 'guard-0001', 'default')
  #offset = 0

  constructor() {
    this.book.setPolicy(BUDGETS, at(0))
  }

  /** What is to be sent now, after what waits has been decided as far as it can be. */
  report(elapsedMs: number): CreditRequest | null {
    this.book.drain(at(elapsedMs))
    return this.#reports.next(at(elapsedMs))
  }

  answer(request: CreditRequest | null, accounts: readonly Account[], elapsedMs: number): void {
    assert.ok(request)
    const output = { ...PROFILE, p95: 400, p99: 400, count: 100 }
    this.#reports.onAnswer(
      {
        offset: ++this.#offset,
        logTimeMs: elapsedMs,
        sequence: request.report.sequence,
        accounts,
        profiles: [{ ...PROFILE, output, rate: RATE, contextTokens: 128_000 }],
      },
      at(elapsedMs),
    )
  }

  dueMs(elapsedMs: number): number | null {
    return this.#reports.dueMs(at(elapsedMs))
  }

  lend(lent: bigint, elapsedMs: number): void {
    this.book.credit.onAccounts([account(lent)], ++this.#offset, at(elapsedMs))
  }
}

/** A guard with one call that waits, and of which the governor knows. */
function waitingGuard(): Guard {
  const guard = new Guard()
  assert.equal(guard.book.ask(ask(1), at(0)).type, 'wait')
  guard.answer(guard.report(0), [account(0n)], 10)
  const told = guard.report(20)
  assert.equal(told?.report.accounts[0]?.need, String(NEED))
  guard.answer(told, [account(0n)], 30)
  assert.equal(guard.report(40), null)
  return guard
}

test('a call that waits asks again when the stream begins anew, since it may have missed its credit', () => {
  const guard = waitingGuard()
  guard.book.onStreamBegan()
  const again = guard.report(50)
  assert.equal(again?.report.accounts[0]?.need, String(NEED))
  guard.answer(again, [account(NEED)], 60)
  const [decided] = guard.book.drain(at(60))
  assert.equal(decided?.outcome.type, 'admit')
  guard.book.onStreamBegan()
  assert.equal(guard.report(70), null, 'with nobody waiting there is nothing to ask')
})

test('a need that is not met is told again every two seconds, since any message may get lost', () => {
  // It told its need at 20 ms.
  const guard = waitingGuard()
  assert.equal(guard.dueMs(40), 2_020)
  assert.equal(guard.report(2_020)?.report.accounts[0]?.need, String(NEED))
})

test('credit that was asked back and does not suffice for the call at hand goes back at once', () => {
  const guard = waitingGuard()
  guard.lend(NEED - 1n, 50)
  assert.equal(guard.report(60), null, 'as long as nobody else wants it, it is kept')
  guard.book.credit.onRecall(RECALL, at(70))
  const first = guard.report(70)
  assert.equal(first?.report.accounts[0]?.returned, String(NEED - 1n))
  guard.answer(first, [account(NEED - 1n)], 80)
  // What comes now is again too little.
  guard.lend(NEED + 9n, 90)
  assert.equal(guard.report(90)?.report.accounts[0]?.returned, String(NEED + 9n))
})

test('credit that was asked back and suffices serves the call that waits', () => {
  const guard = waitingGuard()
  guard.book.credit.onRecall(RECALL, at(50))
  guard.lend(NEED, 60)
  const [decided] = guard.book.drain(at(60))
  assert.equal(decided?.outcome.type, 'admit')
})

test('a recall that comes before its account is known here holds as soon as it is', () => {
  const guard = new Guard()
  guard.book.ask(ask(1), at(0))
  const opening = guard.report(0)
  guard.book.credit.onRecall(RECALL, at(5))
  guard.answer(opening, [account(NEED - 1n)], 10)
  assert.equal(guard.report(10)?.report.accounts[0]?.returned, String(NEED - 1n))
})
