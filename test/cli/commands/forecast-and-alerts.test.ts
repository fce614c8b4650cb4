import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { DetectionsAnswer, ForecastsAnswer, StatusAnswer } from '@tokenfuse/protocol'
import { otlpRequest } from '../../processor/meter/otlp.ts'
import { ask, call, runProcessor, temporaryFolder } from '../../support/processor.ts'
import { callSpan } from '../../support/spans.ts'
import { tokenfuse } from '../../support/tokenfuse-command.ts'

const MINUTE_MS = 60_000
const POLICY = `version: 1
budgets:
  - { id: agents, per: [agent], limit: { tokens: 100 }, window: hour, mode: soft }
  - { id: monthly, limit: { usd: 5 }, window: month }
`

/** Six hours of a call every five minutes, as reported late; and a task that asks for the same again and again. */
async function metered(t: TestContext) {
  const policyFile = join(temporaryFolder(t), 'tokenfuse.yaml')
  writeFileSync(policyFile, POLICY)
  const running = await runProcessor(t, { policyFile })
  const nowMs = Date.now()
  const spans = Array.from({ length: 73 }, (_, at) => {
    const span = callSpan({ 'tokenfuse.task.id': `t-${at}` })
    // Halfway between two calls, so that the share of the hour that is over is the share of its calls that were made.
    const endMs = nowMs - (72.5 - at) * 5 * MINUTE_MS
    return {
      ...span,
      startTimeUnixNano: `${endMs - 100}000000`,
      endTimeUnixNano: `${endMs}000000`,
    }
  })
  const looping = {
    'gen_ai.agent.name': 'reader',
    'tokenfuse.tool.call.keys': ['c'],
    'tokenfuse.tool.result.keys': ['r'],
  }
  await ask(running, '/v1/traces', otlpRequest(spans))
  await ask(running, '/v1/traces', otlpRequest(Array.from({ length: 6 }, () => callSpan(looping))))
  const command = (...args: string[]) => tokenfuse([...args, '--data', running.dataDirectory])
  return { running, command }
}

test('forecasts are told by API, command, status and metrics, or why there are none', async (t) => {
  const { running, command } = await metered(t)
  const answer = await ask<ForecastsAnswer>(running, '/v1/forecasts')
  const of = (budget: string, scope: string) =>
    answer.forecasts.find((each) => each.budget === budget && each.scope === scope)
  const figures = of('agents', 'agent=writer')?.forecast
  // 12 calls an hour of 110 tokens; in its first minutes an hour says little of its pace
  const end = Number(figures?.endOfWindow)
  assert.ok(end >= 900 && end < 2000, `${end}`)
  assert.equal(figures?.breachProbability, 1)
  assert.ok(Number(figures?.lower) <= end && Number(figures?.upper) >= end)
  assert.equal(of('monthly', '*')?.forecast, null)
  assert.equal(of('monthly', '*')?.missing, 'insufficient history')

  const [json, table, status] = await Promise.all([
    command('forecast', '--budget', 'monthly', '--json'),
    command('forecast'),
    command('status'),
  ])
  const shown = JSON.parse(json.stdout) as ForecastsAnswer
  assert.deepEqual(
    shown.forecasts.map(({ budget }) => budget),
    ['monthly'],
  )
  assert.match(table.stdout, /^agents hour +agent=wr\S* .* 100%/m)
  assert.match(table.stdout, /^2 counters without a forecast: insufficient history$/m)
  assert.match(status.stdout, /^agents hour +agent=wr\S* .* 100%/m)
  const metrics = await (await call(running, '/metrics')).text()
  assert.match(metrics, /^tokenfuse_budget_breach_probability\{budget="agents"\} 1$/m)
  assert.match(metrics, /^tokenfuse_budget_forecast_ratio\{budget="agents"\} (9|1\d)\./m)
  const bad = await call(running, '/v1/forecasts?top=0')
  assert.equal(bad.status, 400)
})

test('a runaway is told by API, command, status, explanation and metrics', async (t) => {
  const { running, command } = await metered(t)
  const { detections } = await ask<DetectionsAnswer>(running, '/v1/detections')
  const [detection] = detections
  assert.equal(detection?.kind, 'repetition')
  assert.equal(detection?.scope, 'agent=reader,task=t-1')
  const status = await ask<StatusAnswer>(running, '/v1/status')
  assert.deepEqual(status.detections, detections)
  const [alerts, explained] = await Promise.all([
    command('alerts'),
    command('explain', detection?.decision ?? ''),
  ])
  assert.match(alerts.stdout, /^repetition \(notice\): agent=reader,task=t-1$/m)
  assert.match(alerts.stdout, /^ {2}The same turns, with the same results, 5 times in a row\./m)
  assert.match(explained.stdout, /The same turns/)
  const metrics = await (await call(running, '/metrics')).text()
  assert.match(metrics, /^tokenfuse_detections_total\{kind="repetition",level="notice"\} 1$/m)
  assert.match(metrics, /^tokenfuse_detections_open\{kind="repetition",level="notice"\} 1$/m)
})
