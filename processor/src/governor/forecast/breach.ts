import { shareAbove } from './error-counts.ts'
import type { Estimate } from './estimate.ts'

/** The probability, to four digits, that more than `left` is still to come; 1 where nothing is left. */
export function breachProbability(estimate: Estimate, left: number): number {
  if (left < 0) return 1
  return Math.round(rawProbability(estimate, left) * 1e4) / 1e4
}

/**
 * From two witnesses: how errors are distributed, and the share of experts, by weight, that expect a breach. Each sees
 * breaches that the other does not, so it is nearer to the probability that at least one is right than to their mean.
 */
function rawProbability(estimate: Estimate, left: number): number {
  const { remaining, spread, errors, opinions, weights } = estimate
  const byErrors =
    spread > 0 ? shareAbove(errors, (left - remaining) / spread) : Number(remaining > left)
  let agreeing = 0
  let all = 0
  for (const [expert, weight] of weights.entries()) {
    if ((opinions.remaining[expert] ?? 0) > left) agreeing += weight
    all += weight
  }
  const byExperts = agreeing / all
  const mean = (byErrors + byExperts) / 2
  const either = byErrors + byExperts - byErrors * byExperts
  return (mean + 2 * either) / 3
}
