import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { policySchema } from '@tokenfuse/protocol'
import { backtestFile } from '../../processor/src/backtest/backtest.ts'
import { defaultRules } from '../../processor/src/policy/rules-file.ts'
import { Workload } from './governor/workload.ts'
import { ratePerSecond } from './measure.ts'
import { atLeast, type Bench } from './result.ts'

const EVENTS = 100_000
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

/** A file of recorded events through a policy and the shipped rules, beside reading its lines as JSON and no more. */
export const backtestEvents: Bench = {
  names: ['backtest.events'],
  async run() {
    const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-bench-'))
    try {
      return [await measure(join(folder, 'events.jsonl'))]
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

async function measure(path: string) {
  const workload = new Workload(SCOPES, SEED)
  const lines = Array.from({ length: EVENTS }, () => JSON.stringify(workload.call()))
  writeFileSync(path, lines.join('\n'))
  const parsed = ratePerSecond(EVENTS, ROUNDS, () => {
    for (const line of lines) JSON.parse(line)
  })
  lines.length = 0
  let value = 0
  for (let round = 0; round <= ROUNDS; round++) {
    const startMs = performance.now()
    const policies = [{ name: 'bench', policy: POLICY, rules: defaultRules() }]
    const { file } = await backtestFile(path, policies)
    if (file.events !== EVENTS) throw new Error(`${file.events} of ${EVENTS} events were read`)
    value = Math.max(value, (EVENTS / (performance.now() - startMs)) * 1000)
  }
  const baseline = { name: 'JSON.parse of the lines alone, lines/s', value: parsed }
  const count = EVENTS * ROUNDS
  return atLeast(100_000, { name: 'backtest.events', unit: 'events/s', value, count, baseline })
}
