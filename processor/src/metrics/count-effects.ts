import type { LogEntry, UsageEvent } from '@tokenfuse/protocol'
import type { Effect } from '../governor/effect.ts'
import type { MetricRegistry } from './registry.ts'

/** Counts what an entry of the log led to. */
export function countEffects(
  metrics: MetricRegistry,
  entry: LogEntry,
  effects: readonly Effect[],
): void {
  for (const effect of effects) {
    switch (effect.type) {
      case 'counted':
        countUsage(metrics, effect.event)
        metrics.observe('decisionLag', [], lagSeconds(entry.logTimeMs, effect.event))
        break
      case 'duplicate':
        metrics.add('duplicateEvents', [], 1)
        break
      case 'improved':
        metrics.add('improvedEvents', [], 1)
        break
      case 'late':
        metrics.add('deadLetters', ['span_too_late'], 1)
        break
      case 'decision':
        metrics.add(
          'decisions',
          [effect.decision.budget ?? effect.decision.rule ?? '', effect.decision.action],
          1,
        )
        break
      case 'detection':
        if (effect.change === 'ended') break
        metrics.add('detections', [effect.detection.kind, effect.detection.level], 1)
        break
      default:
    }
  }
}

function countUsage(metrics: MetricRegistry, event: UsageEvent): void {
  const { agent, provider } = event
  const model = event.responseModel ?? event.requestModel
  metrics.add('usageEvents', [agent, provider, model, event.source], 1)
  for (const { kind, unit, quantity } of event.charges) {
    if (unit === 'token') metrics.add('tokens', [agent, provider, model, kind], quantity)
  }
  metrics.add('costUsd', [agent, provider, model], BigInt(event.costPicoUsd))
  if (event.priced !== 'exact') metrics.add('unpricedEvents', [model, event.priced], 1)
}

/** Agents' clocks may be ahead. */
function lagSeconds(logTimeMs: number, event: UsageEvent): number {
  return Math.max(0, logTimeMs - (Date.parse(event.time) + event.durationMs)) / 1000
}
