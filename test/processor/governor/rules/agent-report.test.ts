import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY_MS, Governed, HOUR_MS, MONDAY_MS } from '../support/governed.ts'
import { LIMITS, setRules } from './ruled.ts'

test('an agent is reported with its tasks, steps and models, its context, its usual days and its traces', () => {
  const governed = new Governed()
  setRules(governed, LIMITS)
  // Three days of 10, 20 and 60 tokens: 20 is the median.
  for (const [day, tokens] of [10, 20, 60].entries()) {
    governed.use(MONDAY_MS + day * DAY_MS, tokens, { agent: 'a', task: `old-${day}` })
  }
  const now = MONDAY_MS + 3 * DAY_MS + HOUR_MS
  const traceId = 'f'.repeat(32)
  const more = { agent: 'a', task: 'now', stepName: 'search', traceId }
  governed.use(now, 10, { ...more, responseModel: 'gpt-4o' })
  governed.use(now + 1000, 20, { ...more, responseModel: 'gpt-4o-mini' })
  governed.use(now + 2000, 30, more)
  governed.use(now + 2000, 1000, { agent: 'b', task: 'other' })
  const report = governed.governor.agentReport('a')
  assert.ok(report)
  assert.equal(report.period, '2026-06-04')
  // 60 tokens today are three times the median.
  assert.deepEqual(report.baseline, { days: 3, medianTokens: 20, todayTokens: 60, ratio: 3 })
  assert.deepEqual(
    report.days.map(({ day, totals }) => [day, totals.totalTokens]),
    [
      ['2026-06-01', 10],
      ['2026-06-02', 20],
      ['2026-06-03', 60],
      ['2026-06-04', 60],
    ],
  )
  const named = (rows: typeof report.tasks) =>
    rows.map(({ values, totalTokens }) => [Object.values(values)[0], totalTokens])
  assert.deepEqual(named(report.tasks), [['now', 60]])
  assert.deepEqual(named(report.steps), [['search', 60]])
  assert.deepEqual(named(report.models), [
    ['gpt-4o-mini', 50],
    ['gpt-4o', 10],
  ])
  const [run, ...others] = report.runs.filter(({ task }) => task === 'now')
  assert.deepEqual(others, [])
  assert.ok(run)
  assert.deepEqual(
    [run.calls, run.tokens, run.firstContextTokens, run.lastContextTokens],
    [3, 60, 10, 30],
  )
  // From 10 to 30 in two calls.
  assert.equal(run.contextTokensPerCall, 10)
  assert.equal(run.trace, traceId)
  assert.equal(report.systemPromptShare, null)
  // Of a newest call of 30 and one of 10 tokens: 12 + 9 of 40. One that does not tell is left out.
  governed.use(now + 3000, 30, { ...more, systemTokens: 12 })
  governed.use(now + 3000, 10, { ...more, task: 'second', systemTokens: 9 })
  governed.use(now + 3000, 500, { ...more, task: 'third' })
  assert.equal(governed.governor.agentReport('a')?.systemPromptShare, 0.53)
  governed.restart()
  assert.equal(governed.governor.agentReport('a')?.systemPromptShare, 0.53)
  assert.deepEqual(
    report.decisions.filter(({ action }) => action === 'kill').map(({ scope }) => scope),
    ['agent=a,task=old-2', 'agent=a,task=now'],
  )
  assert.equal(governed.governor.agentReport('nobody'), null)
})
