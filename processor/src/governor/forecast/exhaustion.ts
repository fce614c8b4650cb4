import { errorQuantile } from './error-counts.ts'
import type { Estimate } from './estimate.ts'
import { deviationCarriedOn, QUICK } from './experts.ts'
import type { ForecastPlan } from './plan.ts'

export type ExhaustionQuestion = {
  readonly nowMs: number
  /** Up to the limit. */
  readonly left: number
  readonly breachProbability: number
}

/**
 * When what is left will be used, if it will: usage goes the way of the median and the recent seasons with the latest
 * deviation carried on, and comes to what is to be expected of windows that breach the limit.
 * @returns now where nothing is left
 */
export function exhaustionMs(
  plan: ForecastPlan,
  estimate: Estimate,
  { nowMs, left, breachProbability }: ExhaustionQuestion,
): number {
  if (left <= 0) return nowMs
  const { lengths } = estimate.opinions.profiles
  const path = pathOf(plan, estimate)
  const total = path.reduce((sum, amount) => sum + amount, 0)
  // The middle of the windows above the limit.
  const share = 1 - breachProbability / 2
  const breaching = estimate.remaining + estimate.spread * errorQuantile(estimate.errors, share)
  const wanted = (left / Math.max(left, estimate.remaining, breaching)) * total
  let used = 0
  for (const [step, amount] of path.entries()) {
    if (amount > 0 && used + amount >= wanted) {
      const steps = step + ((wanted - used) / amount) * (lengths[step] ?? 1)
      return Math.round(Math.min(nowMs + steps * plan.binMs, estimate.seasons.span.untilMs))
    }
    used += amount
  }
  return estimate.seasons.span.untilMs
}

/** Usage step by step, up to a factor; even where nothing is known of its course. */
function pathOf(plan: ForecastPlan, { opinions }: Estimate): Float64Array {
  const { profiles } = opinions
  const path = new Float64Array(profiles.lengths.length)
  for (const profile of [profiles.median, profiles.recent]) {
    const amounts = deviationCarriedOn(plan, profiles, profile, QUICK)
    for (const [step, amount] of amounts.entries())
      path[step] = (path[step] ?? 0) + Math.max(0, amount)
  }
  return path.some((amount) => amount > 0) ? path : profiles.lengths
}
