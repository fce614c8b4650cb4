import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UsageRow } from '@tokenfuse/protocol'
import { stepHistory } from '../../../cli/src/output/step-history.ts'

const row = (agent: string, step: string, calls: number, totalTokens: number) =>
  ({ values: { agent, step }, calls, totalTokens }) as unknown as UsageRow

test("a step's calls of a day stand beside those of the same agent's step on all other days", () => {
  const all = [row('a', 'plan', 10, 1200), row('b', 'plan', 5, 50), row('a', 'draft', 2, 800)]
  const { cells, columns } = stepHistory(['agent', 'step'], all)
  assert.equal(columns.length, 2)
  // 600 tokens in 2 calls today; 600 in the 8 before
  assert.deepEqual(cells(row('a', 'plan', 2, 600)), ['300', '75'])
  assert.deepEqual(cells(row('a', 'draft', 2, 800)), ['400', ''], 'its first day')
  assert.deepEqual(cells(row('a', 'draft', 0, 0)), ['', '400'], 'only refused calls today')
})
