import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { BacktestResult } from '@tokenfuse/processor'
import type { PolicyChange } from '../../../cli/src/policy/policy-changes.ts'
import { temporaryFolder } from '../../support/processor.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'
import { usageEvent } from '../../support/usage-event.ts'

function files(t: TestContext, texts: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder(t)
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

const DAILY = 'version: 1\nbudgets: [{ id: daily, window: day, limit: { tokens: 1000 } }]\n'

test('a valid policy is said to be so, with what of it does nothing', async (t) => {
  const folder = files(t, { 'tokenfuse.yaml': DAILY })
  const { stdout, code } = await tokenfuse(['policy', 'validate'], { folder })
  assert.equal(code, 0)
  assert.match(stdout, /^valid: tokenfuse\.yaml, 1 budget, 4 rules$/m)
  assert.match(stdout, /rule daily_budget_exceeded: it holds only beyond the limit of budget daily/)
  assert.match(stdout, /rule agent_spike is inactive: agent_hourly_limit is not set/)
  for (const line of stdout.split('\n')) assert.ok(line.length <= 80, line)
  const shadow = files(t, { 'tokenfuse.yaml': DAILY.replace('day,', 'day, mode: shadow,') })
  const quiet = await tokenfuse(['policy', 'validate', '--json'], { folder: shadow })
  const { notes } = JSON.parse(quiet.stdout) as { notes: string[] }
  assert.ok(!notes.some((note) => note.includes('daily_budget_exceeded')), notes.join())
})

test('every problem of a policy and its rules is told, with file, line and column', async (t) => {
  const folder = files(t, {
    'tokenfuse.yaml': 'version: 1\nbudgets:\n  - { id: Daily, window: days }\n',
    'mine.yaml': 'rules: [{ name: a, severity: P1, condition: x > 1, action: warn, message: m }]\n',
  })
  const args = ['policy', 'validate', 'tokenfuse.yaml', '--rules', 'mine.yaml']
  const { stderr, code } = await tokenfuse(args, { folder })
  assert.equal(code, 1)
  assert.match(stderr, /tokenfuse\.yaml:3:\d+ budgets\[0\]\.id/)
  assert.match(stderr, /tokenfuse\.yaml:3:\d+ budgets\[0\]\.window/)
  assert.match(stderr, /mine\.yaml:1:\d+ rules\[0\]\.condition: there is no variable "x"/)
  const json = await tokenfuse([...args, '--json'], { folder })
  assert.equal(json.code, 1)
  const { valid, problems } = JSON.parse(json.stdout) as { valid: boolean; problems: unknown[] }
  assert.deepEqual([valid, problems.length], [false, 3])
})

test('a difference is told in words, and with recorded calls in what it would have changed', async (t) => {
  const start = Date.UTC(2026, 0, 2)
  // Ten calls of 110 tokens, a minute apart.
  const calls = Array.from({ length: 10 }, (_, index) =>
    JSON.stringify(usageEvent({ time: new Date(start + index * 60_000).toISOString() })),
  )
  const folder = files(t, {
    'a/tokenfuse.yaml': DAILY,
    'b/tokenfuse.yaml': `version: 1
timezone: Europe/Berlin
budgets:
  - { id: daily, window: day, limit: { tokens: 500 }, mode: soft, warnAt: 0.5 }
  - { id: tasks, window: lifetime, per: [task], limit: { usd: 2 } }
`,
    'b/budget-alerts.yaml':
      'rules: [{ name: dear, severity: P1, condition: daily_usd > 5, action: warn, message: m }]\n',
    'events.jsonl': calls.join('\n'),
  })
  const args = ['policy', 'diff', 'a/tokenfuse.yaml', 'b/tokenfuse.yaml']
  const { stdout } = await tokenfuse(args, { folder })
  assert.match(
    stdout,
    /^~ budget daily: 1,000 tokens a day, for all calls, hard -> 500 tokens a day,/m,
  )
  assert.match(stdout, /warnAt: 0\.8 -> 0\.5/)
  assert.match(stdout, /^\+ budget tasks: \$2\.00 for good for each task, for all calls, hard$/m)
  assert.match(stdout, /^- rule agent_spike: P2, investigate_agent when agent_hourly_tokens/m)
  assert.match(stdout, /^\+ rule dear: P1, warn when daily_usd > 5$/m)
  assert.match(stdout, /^~ timezone: UTC -> Europe\/Berlin$/m)
  const json = await tokenfuse([...args, '--events', 'events.jsonl', '--json'], { folder })
  const { changes, backtest } = JSON.parse(json.stdout) as {
    changes: PolicyChange[]
    backtest: BacktestResult
  }
  assert.equal(changes.length, 8)
  // 500 are passed by the fifth call, 1000 by the tenth.
  assert.deepEqual(
    backtest.policies.map(({ avoided }) => avoided.calls),
    [0, 5],
  )
  const same = await tokenfuse(['policy', 'diff', 'a/tokenfuse.yaml', 'a/tokenfuse.yaml'], {
    folder,
  })
  assert.equal(same.stdout, 'They say the same.\n')
})
