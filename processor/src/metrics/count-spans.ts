import type { Metered } from '../meter/meter-spans.ts'
import type { MetricRegistry } from './registry.ts'

/** Counts what became of received spans. */
export function countSpans(metrics: MetricRegistry, metered: Metered): void {
  const { events, guardEnds, deadLetters, ignored } = metered
  let received = events.length + guardEnds.length + deadLetters.length
  for (const [reason, spans] of Object.entries(ignored)) {
    if (spans > 0) metrics.add('spansIgnored', [reason], spans)
    received += spans
  }
  for (const [field, values] of Object.entries(metered.shortened)) {
    if (values > 0) metrics.add('shortenedValues', [field], values)
  }
  for (const { code } of deadLetters) metrics.add('deadLetters', [code], 1)
  metrics.add('spansReceived', [], received)
}
