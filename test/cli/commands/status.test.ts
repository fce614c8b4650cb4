import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { StatusAnswer } from '@tokenfuse/protocol'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callsRequest } from '../../support/spans.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

const POLICY = `version: 1
budgets:
  - { id: writers, match: { agent: writer }, per: [task], limit: { tokens: 1000 }, window: lifetime }
  - { id: agents, per: [agent], limit: { usd: 1 }, window: lifetime }
  - { id: all, limit: { tokens: 1000 }, window: lifetime, mode: shadow }
  - { id: someday, window: month }
`

/** 8 calls of writer and 1 of reader, 110 tokens and 21 micro-USD each. */
async function metered(t: TestContext) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(policyFile, POLICY)
  const processor = await runProcessor(t, { policyFile })
  await ask(processor, '/v1/traces', callsRequest(8))
  await ask(processor, '/v1/traces', callsRequest(1, { 'gen_ai.agent.name': 'reader' }))
  const status = (...args: string[]) =>
    tokenfuse(['status', ...args, '--data', processor.dataDirectory])
  return { processor, policyFile, status }
}

test('status shows what each agent used and the fullest budget of its own, and sums of today and in all', async (t) => {
  const { status, processor } = await metered(t)
  const { stdout } = await status()
  assert.ok(stdout.includes(`at ${processor.url}, policy 1, 0 guards\n`))
  // 880 of 1,000 tokens of its task are more than 168 micro-USD of 1 USD
  assert.match(stdout, /^writer +800 +80 +880 +1,000 +88% +\$0\.0002$/m)
  assert.match(stdout, /^reader +100 +10 +110 +\$1\.00 +0% +<\$0\.0001$/m)
  assert.match(stdout, /^today, \d{4}-\d\d-\d\d +9 +900 +90 +990 +\$0\.0002$/m)
  assert.match(stdout, /^in all +9 +900 +90 +990 +\$0\.0002$/m)
})

test('status shows how full each budget is, the fullest first, and what is over its threshold', async (t) => {
  const { status } = await metered(t)
  const { stdout } = await status()
  const all = stdout.search(/^all \(shadow\) +everything +lifetime +990 +1,000 +99%$/m)
  const writers = stdout.search(/^writers +task=t-1 +lifetime +880 +1,000 +88%$/m)
  assert.ok(all > 0 && writers > all, stdout)
  assert.match(stdout, /^warn: budget writers for task=t-1 is 88% used \[d\d+-\d\]$/m)
  assert.match(stdout, /^warn \(shadow\): budget all for \* is 88% used \[d\d+-\d\]$/m)
  assert.match(stdout, /^someday is inactive: no limit is set$/m)
})

test('status as JSON is what the processor says: agents with their budgets, decisions with the severest first', async (t) => {
  const { status, processor } = await metered(t)
  await ask(processor, '/v1/traces', callsRequest(2))
  const [json, answer] = await Promise.all([
    status('--json'),
    ask<StatusAnswer>(processor, '/v1/status'),
  ])
  assert.deepEqual(JSON.parse(json.stdout), answer)
  assert.equal(answer.agents[0]?.agent, 'writer')
  assert.equal(answer.agents[0].budget?.budget, 'writers')
  assert.equal(answer.counters, 4)
  assert.deepEqual(
    answer.decisions.map(({ action }) => action),
    ['block', 'block'],
  )
})

test('a policy file that is not in force is told', async (t) => {
  const { status, processor, policyFile } = await metered(t)
  writeFileSync(policyFile, 'version: 2\n')
  for (;;) {
    t.signal.throwIfAborted()
    if ((await ask<StatusAnswer>(processor, '/v1/status')).policyProblem !== null) break
  }
  const { stdout } = await status()
  assert.match(stdout, /^The policy file is not in force: .*version/m)
})

test('status stays within 80 columns whatever names and amounts there are', async (t) => {
  const { status, processor } = await metered(t)
  const values = {
    'gen_ai.agent.name': `a-${'long-'.repeat(40)}`,
    'tokenfuse.task.id': 't'.repeat(200),
    'gen_ai.usage.input_tokens': 987_654_321,
    'gen_ai.usage.output_tokens': 98_765_432,
  }
  await ask(processor, '/v1/traces', callsRequest(3, values))
  const { stdout } = await status()
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
})
