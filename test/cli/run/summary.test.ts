import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageAnswer, UsageRow, UsageTotals } from '@tokenfuse/protocol'
import { type RunReport, summaryLines, usageSince } from '../../../cli/src/run/summary.ts'

function totals(calls: number, costPicoUsd: bigint, more: Partial<UsageTotals> = {}): UsageTotals {
  return {
    calls,
    estimatedCalls: 0,
    unpricedCalls: 0,
    refusedCalls: 0,
    inputTokens: calls * 100,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: calls * 10,
    reasoningTokens: 0,
    totalTokens: calls * 110,
    inputCostPicoUsd: String(costPicoUsd),
    outputCostPicoUsd: '0',
    costPicoUsd: String(costPicoUsd),
    ...more,
  }
}

const row = (agent: string, values: UsageTotals): UsageRow => ({ ...values, values: { agent } })
const answer = (rows: UsageRow[], total: UsageTotals): UsageAnswer => ({
  offset: 1,
  by: ['agent'],
  scope: '*',
  period: 'all',
  rows,
  total,
})
const plain = (_: unknown, text: string) => text
const report = (overrides: Partial<RunReport>): RunReport => ({
  run: 'r-1',
  durationMs: 4200,
  agents: [],
  total: totals(0, 0n),
  budgets: [],
  refusals: [],
  droppedSpans: 0,
  waitingFiles: 0,
  ...overrides,
})

test('what an agent used before the run is not counted to it, beyond what a double holds, too', () => {
  const large = 9_007_199_254_740_993n
  const before = answer([row('a', totals(2, large))], totals(2, large))
  const after = answer(
    [row('a', totals(5, large + 3n)), row('b', totals(1, 7n))],
    totals(6, large + 10n),
  )
  const { rows, total } = usageSince(before, after)
  assert.deepEqual(
    rows.map(({ values, calls, costPicoUsd }) => [values.agent, calls, costPicoUsd]),
    [
      ['a', 3, '3'],
      ['b', 1, '7'],
    ],
  )
  assert.equal(total.costPicoUsd, '10')
  assert.equal(total.inputTokens, 400)
})

test('a summary tells what was refused, estimated and lost, and stays within 80 columns', () => {
  const total = totals(3, 5_000_000_000n, { estimatedCalls: 1, refusedCalls: 2 })
  const reason = `budget daily for agent=${'x'.repeat(200)} is 104% used; nothing is left`
  const lines = summaryLines(
    report({
      agents: [row('\u001b[31mevil', total)],
      total,
      refusals: [{ reason } as RunReport['refusals'][number]],
      droppedSpans: 1,
      waitingFiles: 2,
    }),
    plain,
  )
  const text = lines.join('\n')
  assert.match(text, /3 calls \u00b7 \$0\.0050 \u00b7 4\.2 s/)
  assert.match(text, /2 calls refused/)
  assert.match(text, /1 call estimated/)
  assert.match(text, /budget daily for agent=x+/)
  assert.match(text, /1 call could not be reported and is not counted/)
  assert.match(text, /next run sends them/)
  assert.ok(!text.includes('\u001b'))
  for (const line of text.split('\n')) assert.ok(line.length <= 80, line)
})

test('a run without model calls says so instead of showing zeros', () => {
  assert.deepEqual(summaryLines(report({}), plain), ['tokenfuse  no model calls seen in 4.2 s'])
})

test('a summary tells how full the budgets of the run are, and not of endless scopes', () => {
  const status = (scope: string, spent: string, usedRatio: number) =>
    ({ scope, spent, limit: '2000', unit: 'tokens', usedRatio }) as RunReport['budgets'][number]
  const budgets = [
    status('*', '1990', 0.995),
    ...Array.from({ length: 9 }, (_, index) => status(`task=t-${index}`, '10', 0.005)),
  ]
  const lines = summaryLines(report({ total: totals(1, 5n), budgets }), plain)
  const text = lines.join('\n')
  assert.match(text, /^ {2}budget {2}1,990 of 2,000 tokens \(99%\)$/m)
  assert.match(text, /^ {2}budget {2}10 of 2,000 tokens \(0%\) {2}task=t-0$/m)
  assert.match(text, /^ {2}and 5 more scopes$/m)
})
