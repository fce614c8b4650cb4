import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { ExplainAnswer, StatusAnswer } from '@tokenfuse/protocol'
import { ask, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callsRequest } from '../../support/spans.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

const REFUSAL = {
  reason: 'what is left of the budget does not suffice for this call',
  budget: 'all',
  scope: '*',
  unit: 'tokens',
  limit: '200',
  spent: '110',
  needed: '95',
}

/** A budget of 200 tokens of which 220 are spent, and a call that a guard had refused before. */
async function blocked(t: TestContext) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(
    policyFile,
    'version: 1\nbudgets: [{ id: all, limit: { tokens: 200 }, window: lifetime }]',
  )
  const processor = await runProcessor(t, { policyFile })
  const verdict = {
    action: 'block',
    reserve: null,
    cap: null,
    decision: 'guard-01-3',
    refusal: REFUSAL,
  }
  const refused = { 'gen_ai.usage.input_tokens': 0, 'gen_ai.usage.output_tokens': 0 }
  await ask(
    processor,
    '/v1/traces',
    callsRequest(1, { ...refused, 'tokenfuse.verdict': JSON.stringify(verdict) }),
  )
  await ask(processor, '/v1/traces', callsRequest(2))
  const [decision] = (await ask<StatusAnswer>(processor, '/v1/status')).decisions
  const explain = (...args: string[]) =>
    tokenfuse(['explain', ...args, '--data', processor.dataDirectory])
  return { processor, explain, id: decision?.id ?? '' }
}

test('a decision is told with its reason, its figures and the call that led to it', async (t) => {
  const { explain, id } = await blocked(t)
  const { stdout } = await explain(id)
  assert.match(stdout, new RegExp(`^${id} {2}block$`, 'm'))
  assert.match(stdout, /^ {2}why +budget all for \* is 110% used; nothing is left$/m)
  assert.match(stdout, /^ {2}spent +220 of 200 tokens, 0 lent out$/m)
  assert.match(stdout, /^ {2}holds +yes$/m)
  assert.match(stdout, /^ {2}event +entry \d+ of the log: writer \(task t-1\) to gpt-4o-mini at/m)
})

test('the decision of a rule is told with its condition and what that saw', async (t) => {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(
    policyFile,
    'version: 1\nbudgets: [{ id: d, limit: { tokens: 200 }, window: day, mode: shadow }]',
  )
  const processor = await runProcessor(t, { policyFile })
  await ask(processor, '/v1/traces', callsRequest(2))
  const { decisions } = await ask<StatusAnswer>(processor, '/v1/status')
  const id = decisions.find(({ rule }) => rule === 'daily_budget_exceeded')?.id ?? ''
  const { stdout } = await tokenfuse(['explain', id, '--data', processor.dataDirectory])
  assert.match(stdout, new RegExp(`^${id} {2}pause$`, 'm'))
  assert.match(stdout, /^ {2}why +Daily token budget exceeded: 220\/200$/m)
  assert.match(stdout, /^ {2}rule +daily_budget_exceeded, P1, pause_all_noncritical_agents$/m)
  assert.match(stdout, /^ {2}when +daily_tokens > daily_limit$/m)
  assert.match(stdout, /^ {2}saw +daily_limit = 200, daily_tokens = 220$/m)
})

test('a refusal by a guard is told with the call, the reason and how its budget stands now', async (t) => {
  const { explain } = await blocked(t)
  const { stdout } = await explain('guard-01-3')
  assert.match(stdout, /^guard-01-3 {2}refused by the guard of its process$/m)
  assert.match(stdout, /^ {2}why +what is left of the budget does not suffice for this call$/m)
  assert.match(stdout, /^ {2}call +writer \(task t-1\) to gpt-4o-mini at/m)
  assert.match(stdout, /^ {2}now +220 of 200 tokens spent, 0 lent, 0 held$/m)
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
})

test('as JSON it is what the processor says, and an unknown id is an error with how far back is known', async (t) => {
  const { explain, id, processor } = await blocked(t)
  const [json, unknown] = await Promise.all([explain(id, '--json'), explain('d0-0')])
  assert.deepEqual(
    JSON.parse(json.stdout),
    await ask<ExplainAnswer>(processor, `/v1/decisions/${id}`),
  )
  assert.equal(unknown.code, 1)
  assert.match(unknown.stderr, /no decision or refusal "d0-0"\nfix: .*the log reaches: entry 1/)
})
