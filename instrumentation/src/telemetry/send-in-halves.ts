import type { Outcome, Retry } from './delivery.ts'

/** What became of spans, told in their order from the first on. */
export type Settle = (
  count: number,
  fate: 'acknowledged' | 'dropped',
  rejectedSpans: number,
) => void

/**
 * Posts spans, and where the receiver refuses them for good halves them until the one span is found that it will
 * not take, which is dropped: one bad span costs no other. Returns what to wait for where the rest is to be posted
 * again, or `null` where all are settled.
 */
export async function sendInHalves<Span>(
  spans: readonly Span[],
  deliver: (spans: readonly Span[]) => Promise<Outcome>,
  settle: Settle,
): Promise<Retry | null> {
  const outcome = await deliver(spans)
  if (outcome.kind === 'retry') return outcome
  if (outcome.kind === 'acknowledged') {
    settle(spans.length, 'acknowledged', outcome.rejectedSpans)
    return null
  }
  if (spans.length <= 1) {
    settle(spans.length, 'dropped', 0)
    return null
  }
  const middle = Math.ceil(spans.length / 2)
  const first = await sendInHalves(spans.slice(0, middle), deliver, settle)
  return first ?? (await sendInHalves(spans.slice(middle), deliver, settle))
}
