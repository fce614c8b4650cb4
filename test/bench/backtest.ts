import { defaultRules } from '../../processor/src/policy/rules-file.ts'
import { Backtest } from '../../processor/src/backtest/backtest.ts'
import { policySchema } from '@tokenfuse/protocol'
import { Workload } from './governor/workload.ts'
import { ratePerSecond } from './measure.ts'
import { atLeast, type Bench } from './result.ts'

const EVENTS = 50_000
const SCOPES = 10_000
const ROUNDS = 3
const SEED = 7

/** Limits that nobody reaches, so that every event takes the whole way through the governor. */
const POLICY = policySchema.parse({
  version: 1,
  budgets: [
    { id: 'everything', window: 'month', limit: { usd: '1000000000' } },
    { id: 'agent', per: ['agent'], window: 'day', limit: { tokens: 9e15 } },
    { id: 'task', per: ['task'], window: 'lifetime', limit: { tokens: 9e15 } },
  ],
})

/** Recorded events through a policy and the shipped rules, beside reading the same lines as JSON and no more. */
export const backtestEvents: Bench = {
  names: ['backtest.events'],
  run: () => {
    const workload = new Workload(SCOPES, SEED)
    const lines = Array.from({ length: EVENTS }, () => JSON.stringify(workload.call()))
    const parsed = ratePerSecond(EVENTS, ROUNDS, () => {
      for (const line of lines) JSON.parse(line)
    })
    const value = ratePerSecond(EVENTS, ROUNDS, () => {
      const backtest = new Backtest([{ name: 'bench', policy: POLICY, rules: defaultRules() }])
      for (const [index, line] of lines.entries()) backtest.takeLine(line, index + 1)
    })
    const baseline = { name: 'JSON.parse of the lines alone, lines/s', value: parsed }
    const count = EVENTS * ROUNDS
    return Promise.resolve([
      atLeast(100_000, { name: 'backtest.events', unit: 'events/s', value, count, baseline }),
    ])
  },
}
