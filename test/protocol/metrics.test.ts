import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type MetricDefinition, METRICS, prometheusName } from '@tokenfuse/protocol'

const metrics: MetricDefinition[] = Object.values(METRICS)

test('each metric has a name of its own, also in Prometheus', () => {
  for (const nameOf of [({ name }: MetricDefinition) => name, prometheusName]) {
    assert.equal(new Set(metrics.map(nameOf)).size, metrics.length)
  }
  for (const metric of metrics) assert.match(prometheusName(metric), /^tokenfuse_[a-z0-9_]+$/)
})

test('units and counters are told by the name in Prometheus', () => {
  assert.equal(prometheusName(METRICS.tokens), 'tokenfuse_tokens_total')
  assert.equal(prometheusName(METRICS.costUsd), 'tokenfuse_cost_usd_total')
  assert.equal(prometheusName(METRICS.decisionLag), 'tokenfuse_decision_lag_seconds')
  assert.equal(prometheusName(METRICS.budgetSpentRatio), 'tokenfuse_budget_spent_ratio')
})

test('users, tasks and sessions are never labels, and every metric is bounded', () => {
  for (const { name, labels, seriesLimit } of metrics) {
    for (const label of ['user', 'task', 'session']) assert.ok(!labels.includes(label), name)
    assert.ok(seriesLimit >= 1 && seriesLimit <= 10_000, name)
  }
})
