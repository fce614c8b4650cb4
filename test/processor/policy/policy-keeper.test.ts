import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { PolicyError, type StatusAnswer } from '@tokenfuse/protocol'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'

const POLICY = 'version: 1\nbudgets: [{ id: daily, window: day, limit: { tokens: 1000 } }]\n'
const RULE = (condition: string) => `rules:
  - { name: mine, severity: P3, condition: ${condition}, action: warn, message: told }
`

async function started(t: TestContext, files: { policy?: string; rules?: string }) {
  const folder = temporaryFolder(t)
  const [policyFile, rulesFile] = [
    join(folder, 'tokenfuse.yaml'),
    join(folder, 'budget-alerts.yaml'),
  ]
  if (files.policy !== undefined) writeFileSync(policyFile, files.policy)
  if (files.rules !== undefined) writeFileSync(rulesFile, files.rules)
  const lines: string[] = []
  const waiting: (() => void)[] = []
  const log = (line: string) => {
    lines.push(line)
    for (const look of waiting.splice(0)) look()
  }
  const said = async (wanted: RegExp) => {
    while (!lines.some((line) => wanted.test(line))) {
      await new Promise<void>((resolve) => waiting.push(resolve))
    }
  }
  const data = join(folder, 'data')
  const processor = await runProcessor(t, { dataDirectory: data, log })
  const status = () => ask<StatusAnswer>(processor, '/v1/status')
  return { policyFile, rulesFile, status, said }
}

const names = ({ rules }: StatusAnswer) => rules.map(({ name }) => name)
const SHIPPED = ['daily_budget_exceeded', 'agent_spike', 'runaway_detected', 'budget_forecast']

test('with a policy and no rules file the shipped rules are in force; without either, nothing is', async (t) => {
  const both = await started(t, { policy: POLICY })
  assert.deepEqual(names(await both.status()), SHIPPED)
  const neither = await started(t, {})
  const status = await neither.status()
  assert.deepEqual([names(status), status.policyVersion, status.policyProblem], [[], 0, null])
})

test('rules need no policy file', async (t) => {
  const { status } = await started(t, { rules: RULE('daily_tokens > 5') })
  assert.deepEqual(names(await status()), ['mine'])
})

test('an edit of the rules comes into force, a bad one does not, and no file means those shipped', async (t) => {
  const { status, said, rulesFile } = await started(t, {
    policy: POLICY,
    rules: RULE('daily_tokens > 5'),
  })
  assert.equal((await status()).rules[0]?.condition, 'daily_tokens > 5')
  writeFileSync(rulesFile, RULE('daily_tokens > 6'))
  await said(/policy 2 of/)
  assert.equal((await status()).rules[0]?.condition, 'daily_tokens > 6')
  writeFileSync(rulesFile, RULE('daily_tokns > 7'))
  await said(
    /was not taken, the one before stays in force:\nbudget-alerts.yaml:2:\d+ .*daily_tokns/,
  )
  const kept = await status()
  assert.equal(kept.rules[0]?.condition, 'daily_tokens > 6')
  assert.match(kept.policyProblem ?? '', /daily_tokns/)
  rmSync(rulesFile)
  await said(/policy 3 of/)
  const shipped = await status()
  assert.deepEqual(names(shipped), SHIPPED)
  assert.equal(shipped.policyProblem, null)
})

test('problems of both files are told together before anything is started', async (t) => {
  await assert.rejects(
    started(t, { policy: 'version: 2\n', rules: RULE('nothing > 1') }),
    (error) => {
      assert.ok(error instanceof PolicyError)
      const files = error.problems.map(({ file }) => file)
      assert.deepEqual(files, ['tokenfuse.yaml', 'budget-alerts.yaml'])
      return true
    },
  )
})
