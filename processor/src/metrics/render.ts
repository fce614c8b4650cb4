import type { Governor } from '../governor/governor.ts'
import type { MetricRegistry } from './registry.ts'

/** Where the gauges come from, at the time they are asked for. */
export type GaugeSources = {
  readonly loop: { readonly governor: Governor }
  readonly hub: { readonly size: number }
}

/** Everything in Prometheus' text format, gauges read anew. */
export function renderMetrics(metrics: MetricRegistry, { loop, hub }: GaugeSources): string {
  const { governor } = loop
  metrics.set('streams', [], hub.size)
  metrics.set('logOffset', [], governor.offset)
  for (const [table, count] of Object.entries(governor.evictions())) {
    metrics.set('evictions', [table], count)
  }
  metrics.clear('budgetSpentRatio')
  // The fullest come first, so the first scope of a budget is its highest.
  const seen = new Set<string>()
  for (const { budget, usedRatio } of governor.budgets()) {
    if (seen.has(budget)) continue
    seen.add(budget)
    metrics.set('budgetSpentRatio', [budget], usedRatio)
  }
  return metrics.render()
}
