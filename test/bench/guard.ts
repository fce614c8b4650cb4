import type { Account, Budget, CreditAnswer, CreditRequest } from '@tokenfuse/protocol'
import { ceilingRate, policySchema, rateToWire } from '@tokenfuse/protocol'
import { CreditGuard } from '../../instrumentation/src/guard/credit-guard.ts'
import { callValues } from '../../instrumentation/src/guard/call-values.ts'
import type { GuardedCall } from '../../instrumentation/src/guard/guard.ts'
import { matchEndpoint, readRequest } from '../../instrumentation/src/providers/index.ts'
import { percentile } from './measure.ts'
import { atMost, type Bench } from './result.ts'

const WARM_UP = 20_000
const CALLS = 50_000
const AMPLE = 10n ** 24n

const BUDGETS: readonly Budget[] = policySchema.parse({
  version: 1,
  budgets: [
    { id: 'all', window: 'month', limit: { usd: '100000' } },
    { id: 'agent', per: ['agent'], window: 'day', limit: { tokens: 9e15 } },
    { id: 'user', per: ['user'], window: 'day', limit: { usd: '1000' } },
    { id: 'task', per: ['agent', 'task'], window: 'lifetime', limit: { tokens: 9e15 } },
    { id: 'session', per: ['session'], window: 'lifetime', limit: { tokens: 9e15 } },
    { id: 'output', match: { agent: 'sup*' }, window: 'hour', limit: { outputTokens: 9e15 } },
  ],
}).budgets

/** A governor that lends whatever is asked for, at once. */
function answer({ report, profiles }: CreditRequest): CreditAnswer {
  const accounts = report.accounts.map(({ budget, scope }): Account => ({
    budget,
    scope,
    windowFromMs: 0,
    windowUntilMs: null,
    since: 1,
    unit: BUDGETS.find(({ id }) => id === budget)?.limit?.usd === undefined ? 'tokens' : 'picoUsd',
    limit: String(AMPLE),
    spent: '0',
    lent: String(AMPLE / 2n),
    fairShare: String(AMPLE / 2n),
    state: 'open',
  }))
  return {
    offset: report.sequence,
    logTimeMs: Date.now(),
    sequence: report.sequence,
    accounts,
    profiles: profiles.map((profile) => ({
      ...profile,
      output: { ...profile, p95: 300, p99: 600, count: 100 },
      rate: rateToWire(ceilingRate()),
      contextTokens: 128_000,
    })),
  }
}

function guardedCall(): GuardedCall {
  const url = new URL('https://api.openai.com/v1/chat/completions')
  const endpoint = matchEndpoint('POST', url, [])
  if (!endpoint) throw new Error('the endpoint is not known')
  const content = 'lorem ipsum dolor sit amet '.repeat(300)
  const bodyText = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content }] })
  const facts = readRequest(endpoint, bodyText)
  const attribution = {
    agent: 'support',
    task: 't-1',
    user: 'u-1',
    session: 's-1',
    tenant: 'default',
    service: 'api',
    taskType: null,
    stepIndex: null,
    stepName: 'answer',
    difficulty: null,
    criticality: 'normal',
    tags: {},
  } as const
  const values = callValues(attribution, endpoint.provider, facts.model)
  return { endpoint, facts, bodyText, isChangeable: true, attribution, values }
}

/** The decision after the request is parsed: six budgets, credit warm, and the settlement of each call between. */
export const guardDecision: Bench = {
  names: ['guard.p99'],
  async run() {
    const guard = new CreditGuard({
      guardId: 'guard-of-the-bench',
      tenant: 'default',
      control: {
        post: (_path, body) => Promise.resolve(answer(body as CreditRequest)),
        state: () => ({ connected: true, lastMessageAtMs: 0, badMessages: 0 }),
      },
      onStart: 'allow',
      policyOfBefore: { read: () => null, writeBudgets: () => {}, writeRates: () => {} },
    })
    guard.receive({ type: 'policy', version: 1, budgets: BUDGETS })
    const call = guardedCall()
    const tokens = {
      input: 2000,
      cacheRead: 0,
      cacheWrite: 0,
      cacheWrite1h: 0,
      output: 50,
      reasoning: 0,
    }
    const parts = [{ part: 'message', model: null, tokens, webSearches: 0 }] as const
    const times: number[] = []
    for (let index = 0; index < WARM_UP + CALLS; index++) {
      const startMs = performance.now()
      const admission = guard.admit(call)
      const tookMs = performance.now() - startMs
      const settled = admission instanceof Promise ? await admission : admission
      if (!settled.admit) throw new Error('a call was refused that had all the credit there is')
      if (settled.reservation !== null) {
        guard.settle(settled.reservation, {
          parts,
          responseModel: 'gpt-4o-mini',
          source: 'provider',
        })
      }
      if (index >= WARM_UP && !(admission instanceof Promise)) times.push(tookMs * 1000)
      if (index % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const p99 = percentile(times, 0.99)
    const baseline = { name: 'its own median, us', value: percentile(times, 0.5) }
    return [
      atMost(20, { name: 'guard.p99', unit: 'us', value: p99, count: times.length, baseline }),
    ]
  },
}
