import assert from 'node:assert/strict'
import test from 'node:test'
import {
  ceilingRate,
  type LogEvent,
  policySchema,
  rateToWire,
  zoneOffsets,
} from '@tokenfuse/protocol'
import { CreditBook } from '../../instrumentation/src/guard/credit/credit-book.ts'
import { CreditReports } from '../../instrumentation/src/guard/credit/reports.ts'
import type { Ask } from '../../instrumentation/src/guard/credit/ask.ts'
import { Governor } from '../../processor/src/governor/governor.ts'
import { tickEvent } from '../support/tick.ts'
import { usageEvent } from '../support/usage-event.ts'

const NOW_MS = Date.UTC(2026, 0, 5, 12)
const GUARD = 'guard-0001'

const ASK: Ask = {
  id: 1,
  values: {
    tenant: 'default',
    agent: 'a',
    task: 't',
    taskType: 'unknown',
    step: 's',
    user: 'u',
    session: 's',
    model: 'm',
    provider: 'openai',
    service: 's',
    tags: {},
  },
  rank: 1,
  profile: { agent: 'a', step: 's', provider: 'openai', model: 'm' },
  cost: () => ({
    inputTokens: 100,
    choices: 1,
    outputLimit: 100,
    outputBound: null,
    minimumOutput: 16,
    cappable: true,
    p95Output: 100,
    p99Output: 100,
    rate: null,
    step: null,
    writesCache: false,
  }),
  deadlineMs: 60_000,
}

/** One guard and a governor, with nothing between them. */
class Pair {
  readonly governor = new Governor()
  readonly book = new CreditBook('allow')
  readonly reports = new CreditReports(this.book, GUARD, 'default')
  #offset = 0
  elapsedMs = 0

  apply(event: LogEvent) {
    this.governor.apply({ offset: ++this.#offset, logTimeMs: NOW_MS + this.elapsedMs, event })
  }

  now() {
    return { logMs: NOW_MS + this.elapsedMs, elapsedMs: this.elapsedMs, reachable: true }
  }

  setPolicy(limit: object): void {
    const policy = policySchema.parse({
      version: 1,
      budgets: [{ id: 'b', window: 'day', limit, settleAfter: '1m' }],
    })
    const zone = zoneOffsets('UTC', NOW_MS, NOW_MS)
    const basedOn = this.governor.policy()?.version ?? null
    this.apply({ type: 'policy.set', v: 1, tenant: 'default', basedOn, policy, zone })
  }

  /** What the guard would tell now. */
  request() {
    this.elapsedMs += 2000
    const request = this.reports.next(this.now())
    assert.ok(request)
    return request
  }

  tell(request: ReturnType<Pair['request']>) {
    this.apply(request.report)
    const { sequence, accounts } = request.report
    const quantiles = { p95: 100, p99: 100, count: 100 }
    const rate = rateToWire(ceilingRate())
    this.reports.onAnswer(
      {
        offset: this.#offset,
        logTimeMs: this.governor.logTimeMs,
        sequence,
        accounts: this.governor.accounts(GUARD, accounts),
        profiles: request.profiles.map((profile) => ({
          ...profile,
          output: { ...profile, ...quantiles },
          rate,
          contextTokens: null,
        })),
      },
      this.now(),
    )
  }

  get policy() {
    const inForce = this.governor.policy()
    assert.ok(inForce)
    return inForce.policy.budgets
  }
}

test('where a budget counts another unit from now on, what guards told in the old one is void, also told late', () => {
  const pair = new Pair()
  pair.setPolicy({ usd: '5' })
  pair.book.setPolicy(pair.policy, pair.now())
  pair.book.ask(ASK, pair.now())
  pair.tell(pair.request())
  const [ready] = pair.book.drain(pair.now())
  assert.ok(ready?.outcome.type === 'admit')
  const spentPicoUsd = 3_000_000_000_000n
  pair.book.credit.settle(ready.outcome.holds, () => spentPicoUsd, pair.now())
  const late = pair.request()
  assert.equal(late.report.accounts[0]?.used, String(spentPicoUsd))

  pair.setPolicy({ tokens: 1000 })
  pair.tell(late)
  pair.book.setPolicy(pair.policy, pair.now())
  pair.book.ask({ ...ASK, id: 2 }, pair.now())
  pair.tell(pair.request())
  const [next] = pair.book.drain(pair.now())
  assert.ok(next?.outcome.type === 'admit', 'the new budget is untouched')
  // 100 in and 100 out, now in tokens
  assert.deepEqual(
    next.outcome.holds.map(({ account, amount }) => [account.unit, amount]),
    [['tokens', 200n]],
  )
  pair.apply(usageEvent({ guard: GUARD, time: new Date(NOW_MS).toISOString() }))
  // Whatever was told of the old unit, nothing of it is charged when its time is up.
  pair.book.credit.settle(next.outcome.holds, () => 110n, pair.now())
  pair.tell(pair.request())
  pair.elapsedMs += 50_000
  pair.tell(pair.request())
  pair.elapsedMs += 20_000
  pair.apply(tickEvent())
  const [status] = pair.governor.budgets()
  assert.equal(status?.spent, '110')
  assert.equal(status?.unconfirmed, '0')
})
