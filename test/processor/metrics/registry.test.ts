import assert from 'node:assert/strict'
import { test } from 'node:test'
import { METRICS } from '@tokenfuse/protocol'
import { MetricRegistry } from '../../../processor/src/metrics/registry.ts'

test('counters, gauges and histograms are told in the text format, labels escaped', () => {
  const metrics = new MetricRegistry()
  metrics.add('decisions', ['a "b" \\ c\nd', 'block'], 2)
  metrics.add('decisions', ['a "b" \\ c\nd', 'block'], 1)
  metrics.set('streams', [], 4)
  metrics.set('streams', [], 3)
  for (const seconds of [0.004, 0.3, 100]) metrics.observe('decisionLag', [], seconds)
  const text = metrics.render()
  assert.match(text, /^# TYPE tokenfuse_decisions_total counter$/m)
  assert.ok(
    text.includes('tokenfuse_decisions_total{budget="a \\"b\\" \\\\ c\\nd",action="block"} 3\n'),
  )
  assert.match(text, /^tokenfuse_streams 3$/m)
  assert.match(text, /^tokenfuse_decision_lag_seconds_bucket\{le="0.005"\} 1$/m)
  assert.match(text, /^tokenfuse_decision_lag_seconds_bucket\{le="0.5"\} 2$/m)
  assert.match(text, /^tokenfuse_decision_lag_seconds_bucket\{le="60"\} 2$/m)
  assert.match(text, /^tokenfuse_decision_lag_seconds_bucket\{le="\+Inf"\} 3$/m)
  assert.match(text, /^tokenfuse_decision_lag_seconds_count 3$/m)
})

test('money is exact however often it is added', () => {
  const metrics = new MetricRegistry()
  const labels = ['writer', 'openai', 'gpt-4o']
  for (let index = 0; index < 10_000; index++) metrics.add('costUsd', labels, 100_000_000_001n)
  // 10,000 x 0.100000000001 USD
  assert.match(metrics.render(), /^tokenfuse_cost_usd_total\{.*\} 1000\.00000001$/m)
})

test('beyond its limit of label sets a metric counts under other, so that the sum holds', () => {
  const metrics = new MetricRegistry()
  const limit = METRICS.evictions.seriesLimit
  for (let index = 0; index < limit + 10; index++) metrics.add('evictions', [`t${index}`], 1)
  const values = [
    ...metrics.render().matchAll(/^tokenfuse_state_evictions_total\{table="(.*)"\} (\d+)$/gm),
  ]
  assert.equal(values.length, limit)
  assert.equal(values.find(([, table]) => table === 'other')?.[2], '11')
})
