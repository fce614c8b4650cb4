import type { ForecastPlan } from './plan.ts'
import { counterpartMs, type Seasons } from './seasons.ts'
import type { UsageView } from './usage-bins.ts'

/** What earlier seasons let expect, step by step: steps of a bin's length before now, and from now to the end. */
export type Profile = { readonly before: Float64Array; readonly after: Float64Array }

export type Profiles = {
  /** The latest season, as it was. */
  readonly last: Profile
  /** The mean of seasons, each with half the weight of the one after it. */
  readonly recent: Profile
  /** The median of up to seven seasons: one odd season does not show in it. */
  readonly median: Profile
  /** The same in every step: the mean of seasons, each with 0.8 of the weight of the one after it. */
  readonly level: Profile
  readonly meanStep: number
  /** What was used in the steps before now, the latest last. */
  readonly used: Float64Array
  /** Lengths of the steps after now in bins: all 1 but the last. */
  readonly lengths: Float64Array
}

const MEDIAN_SEASONS = 7
const RECENT_DECAY = 0.5
const LEVEL_DECAY = 0.8

/** @param stepsBefore how many steps before now are of interest */
export function profilesOf(
  view: UsageView,
  plan: ForecastPlan,
  seasons: Seasons,
  stepsBefore: number,
): Profiles {
  const { binMs } = plan
  const remainingMs = seasons.span.untilMs - view.nowMs
  const stepsAfter = Math.ceil(remainingMs / binMs)
  const empty = () => ({
    before: new Float64Array(stepsBefore),
    after: new Float64Array(stepsAfter),
  })
  const profiles = { last: empty(), recent: empty(), median: empty(), level: empty() }
  const meanStep = fadingMean(seasons.totals, LEVEL_DECAY) / plan.seasonBins
  const used = new Float64Array(stepsBefore)
  const lengths = new Float64Array(stepsAfter)
  const values: number[] = []

  const fill = (side: 'before' | 'after', index: number, fromMs: number, untilMs: number) => {
    values.length = 0
    for (const shift of seasons.shifts) {
      const counterpart = counterpartMs(seasons, shift, fromMs)
      if (counterpart < seasons.bornMs) break
      values.push(view.between(counterpart, counterpart + untilMs - fromMs))
    }
    // Where there is nothing to compare with, nothing deviates.
    if (values.length === 0) values.push(view.between(fromMs, untilMs))
    profiles.last[side][index] = values[0] ?? 0
    profiles.recent[side][index] = fadingMean(values, RECENT_DECAY)
    profiles.median[side][index] = medianOf(values.slice(0, MEDIAN_SEASONS))
  }
  for (let step = 0; step < stepsBefore; step++) {
    const fromMs = view.nowMs - (stepsBefore - step) * binMs
    fill('before', step, fromMs, fromMs + binMs)
    used[step] = view.between(fromMs, fromMs + binMs)
    profiles.level.before[step] = fromMs < seasons.bornMs ? (used[step] ?? 0) : meanStep
  }
  for (let step = 0; step < stepsAfter; step++) {
    const fromMs = view.nowMs + step * binMs
    const untilMs = Math.min(fromMs + binMs, seasons.span.untilMs)
    fill('after', step, fromMs, untilMs)
    lengths[step] = (untilMs - fromMs) / binMs
    profiles.level.after[step] = meanStep * (lengths[step] ?? 0)
  }
  return { ...profiles, meanStep, used, lengths }
}

/** @param values the latest first */
function fadingMean(values: readonly number[], decay: number): number {
  let sum = 0
  let weights = 0
  let weight = 1
  for (const value of values) {
    sum += weight * value
    weights += weight
    weight *= decay
  }
  return weights === 0 ? 0 : sum / weights
}

/** Sorts its argument. */
export function medianOf(values: number[]): number {
  values.sort((a, b) => a - b)
  const middle = Math.floor(values.length / 2)
  const upper = values[middle] ?? 0
  return values.length % 2 === 1 ? upper : ((values[middle - 1] ?? 0) + upper) / 2
}
