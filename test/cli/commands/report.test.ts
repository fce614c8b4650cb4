import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { AgentReport } from '@tokenfuse/protocol'
import type { PeriodReport } from '../../../cli/src/report/period-report.ts'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callsRequest } from '../../support/spans.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

const POLICY = `version: 1
budgets: [{ id: daily, window: day, mode: shadow, limit: { tokens: 500 } }]
`

/** Eight calls of writer, one of an agent with a name that Markdown would take for more; 110 tokens each. */
async function metered(t: TestContext) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(policyFile, POLICY)
  const processor = await runProcessor(t, { policyFile })
  await ask(processor, '/v1/traces', callsRequest(8))
  await ask(processor, '/v1/traces', callsRequest(1, { 'gen_ai.agent.name': 'a|*b*' }))
  return (...args: string[]) => tokenfuse(['report', ...args, '--data', processor.dataDirectory])
}

test('a report of some days says what was used, by whom, and how budgets and rules stand', async (t) => {
  const report = await metered(t)
  const { stdout } = await report('--period', 'week')
  assert.match(stdout, /^# tokenfuse report, \d{4}-\d\d-\d\d to \d{4}-\d\d-\d\d$/m)
  assert.match(stdout, /^\$0\.0002 for 9 calls, 990 tokens; nothing in as many days before\.$/m)
  assert.match(stdout, /^\| writer \| 8 \| 800 \| 80 \| \$0\.0002 \|$/m)
  assert.match(stdout, /^\| a\\\|\\\*b\\\* \| 1 \| 100 \| 10 \| <\$0\.0001 \|$/m)
  assert.match(stdout, /^\| daily \(shadow\) \| day \| 990 \| 500 tokens \| 198% \|$/m)
  assert.match(
    stdout,
    /^- pause for everything: Daily token budget exceeded: \d+\/500 \(d\d+-\d+\)$/m,
  )
  assert.match(stdout, /^\| daily\\_budget\\_exceeded \| P1 \| 1 \|$/m)
  const json = JSON.parse((await report('--period', 'week', '--json')).stdout) as PeriodReport
  assert.equal(Date.parse(json.until) - Date.parse(json.from), 6 * 86_400_000)
  assert.deepEqual([json.total.calls, json.before.calls], [9, 0])
})

test('a report on an agent says what it does, and one on nobody is an error', async (t) => {
  const report = await metered(t)
  const { stdout } = await report('--agent', 'writer')
  assert.match(stdout, /^# Agent writer$/m)
  assert.match(stdout, /880 tokens today so far; there is no earlier day to hold that against\.$/m)
  assert.match(stdout, /^\| t-1 \| 8 \| 800 \| 80 \| \$0\.0002 \|$/m)
  assert.match(stdout, /Share of the system prompt: unknown/)
  assert.match(stdout, /^- `[0-9a-f]{32}` \(t-1\), last call /m)
  const json = JSON.parse((await report('--agent', 'writer', '--json')).stdout) as AgentReport
  assert.equal(json.baseline.todayTokens, 880)
  const nobody = await report('--agent', 'nobody')
  assert.equal(nobody.code, 1)
  assert.match(nobody.stderr, /nothing of an agent "nobody" was ever counted/)
})
