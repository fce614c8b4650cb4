import type { ForecastPlan } from './plan.ts'
import { type Profile, type Profiles, profilesOf } from './profile.ts'
import type { Seasons } from './seasons.ts'
import type { UsageView } from './usage-bins.ts'

/**
 * Simple forecasts of what is still to come; wherever a number stands for each, it is in this order. A profile says
 * what earlier seasons let expect. How far the last hours were from it is carried on, and fades with the distance.
 */
export const EXPERTS = [
  'last season',
  'last season, deviation carried on',
  'median season',
  'median season, quick deviation carried on',
  'median season, deviation carried on',
  'median season, ratio carried on',
  'recent seasons, deviation carried on',
  'pace',
  'level, quick deviation carried on',
  'level, ratio carried on',
] as const

/** What each expert expects from now to the end of the window, none below 0. */
export type Opinions = { readonly remaining: readonly number[]; readonly profiles: Profiles }

/** In shares of a season: how long the past is remembered, and how far ahead it is felt. */
type Fading = { readonly memory: number; readonly reach: number }
const STEADY: Fading = { memory: 1 / 8, reach: 1 / 2 }
export const QUICK: Fading = { memory: 1 / 24, reach: 1 / 4 }
const LEVEL: Fading = { memory: 1 / 4, reach: 1 / 2 }

/** Memories that are looked back on: what is older has a weight of some 2 %. */
const MEMORIES = 4
/** A ratio is drawn towards 1 by this share of a season's usage, so that quiet hours do not make it explode. */
const SHRINKAGE = 0.1

export function opinionsOf(view: UsageView, plan: ForecastPlan, seasons: Seasons): Opinions {
  const profiles = profilesOf(view, plan, seasons, stepsOf(plan, LEVEL))
  const { last, recent, median, level } = profiles
  const deviation = (profile: Profile, fading: Fading) =>
    sum(deviationCarriedOn(plan, profiles, profile, fading))
  const shrinkage = SHRINKAGE * plan.seasonBins * profiles.meanStep
  const remaining = [
    sum(last.after),
    deviation(last, STEADY),
    sum(median.after),
    deviation(median, QUICK),
    deviation(median, STEADY),
    ratioCarriedOn(plan, profiles, median, STEADY, shrinkage),
    deviation(recent, STEADY),
    paceOf(view, seasons),
    deviation(level, QUICK),
    ratioCarriedOn(plan, profiles, level, LEVEL, shrinkage),
  ]
  return { remaining: remaining.map((amount) => Math.max(0, amount)), profiles }
}

/** A profile with the mean deviation of the last steps added, less with every step ahead. */
export function deviationCarriedOn(
  plan: ForecastPlan,
  { used, lengths }: Profiles,
  profile: Profile,
  fading: Fading,
): Float64Array {
  let deviations = 0
  let weights = 0
  for (const { weight, step } of memoryOf(plan, fading, used.length)) {
    deviations += weight * ((used[step] ?? 0) - (profile.before[step] ?? 0))
    weights += weight
  }
  const deviation = deviations / weights
  const felt = feltAhead(plan, fading, lengths.length)
  return profile.after.map(
    (expected, step) => expected + deviation * (felt[step] ?? 0) * (lengths[step] ?? 0),
  )
}

/** A profile times the ratio of what was used to what it let expect in the last steps, nearer 1 with every step. */
function ratioCarriedOn(
  plan: ForecastPlan,
  { used, lengths }: Profiles,
  profile: Profile,
  fading: Fading,
  shrinkage: number,
): number {
  let actual = shrinkage
  let expected = shrinkage
  for (const { weight, step } of memoryOf(plan, fading, used.length)) {
    actual += weight * (used[step] ?? 0)
    expected += weight * (profile.before[step] ?? 0)
  }
  const excess = expected > 0 ? actual / expected - 1 : 0
  const felt = feltAhead(plan, fading, lengths.length)
  let total = 0
  for (const [step, amount] of profile.after.entries()) {
    total += amount * (1 + excess * (felt[step] ?? 0))
  }
  return total
}

/** The pace of the window so far, or of the latest quarter of its length where that is longer, up to the end. */
function paceOf(view: UsageView, { span }: Seasons): number {
  const { nowMs } = view
  const sinceMs = Math.min(span.fromMs, nowMs - (span.untilMs - span.fromMs) / 4)
  return (view.between(sinceMs, nowMs) / (nowMs - sinceMs)) * (span.untilMs - nowMs)
}

const memoryBins = (plan: ForecastPlan, fading: Fading) =>
  Math.max(1, plan.seasonBins * fading.memory)

const stepsOf = (plan: ForecastPlan, fading: Fading) =>
  Math.ceil(memoryBins(plan, fading) * MEMORIES)

/** The last of `steps` steps and their weights, the latest first. */
function memoryOf(
  plan: ForecastPlan,
  fading: Fading,
  steps: number,
): { readonly step: number; readonly weight: number }[] {
  const keep = 1 - 1 / memoryBins(plan, fading)
  const oldest = Math.max(0, steps - stepsOf(plan, fading))
  const memory = []
  let weight = 1
  for (let step = steps - 1; step >= oldest; step--) {
    memory.push({ step, weight })
    weight *= keep
  }
  return memory
}

/** The share of a deviation that is felt in each step ahead. */
function feltAhead(plan: ForecastPlan, { reach }: Fading, steps: number): Float64Array {
  const keep = 1 - 1 / Math.max(1, plan.seasonBins * reach)
  const felt = new Float64Array(steps)
  let share = 1
  for (let step = 0; step < steps; step++) {
    share *= keep
    felt[step] = share
  }
  return felt
}

function sum(values: Float64Array): number {
  let total = 0
  for (const value of values) total += value
  return total
}
