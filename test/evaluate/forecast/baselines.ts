import { WINDOWS_PER_DAY as DAY } from './series.ts'

/**
 * What the forecast is held against: linear pace, the day so far and yesterday's remainder, and the plain median of
 * seven simple experts. End-of-day tokens.
 */
export type Baselines = {
  readonly linear: number
  readonly yesterday: number
  readonly median: number
}

const SIX_HOURS = 36
const DAY_DECAY = 0.8
const DAY_SHRINKAGE = 0.25
const RECENT_SHRINKAGE = 0.1

/** @param day from 0; there has to be an earlier one. @param at windows of ten minutes that are over, at least one */
export function baselinesAt(tokens: Float64Array, day: number, at: number): Baselines {
  const start = day * DAY
  const now = start + at
  const left = DAY - at
  const spent = sum(tokens, start, now)
  const profile = fadingProfile(tokens, day)
  const profileDay = sum(profile, 0, DAY)
  const profileSoFar = sum(profile, 0, at)
  const profileLeft = profileDay - profileSoFar
  const recent = sum(tokens, now - SIX_HOURS, now)
  let profileRecent = 0
  for (let back = 1; back <= SIX_HOURS; back++)
    profileRecent += profile[(at - back + DAY) % DAY] ?? 0
  const yesterdayLeft = sum(tokens, now - DAY, start)
  const linearLeft = (spent / at) * left
  const ratio = (actual: number, expected: number) => (expected > 0 ? actual / expected : 1)
  const experts = [
    linearLeft,
    yesterdayLeft,
    (recent / SIX_HOURS) * left,
    (sum(tokens, now - DAY, now) / DAY) * left,
    profileLeft,
    profileLeft *
      ratio(spent + DAY_SHRINKAGE * profileDay, profileSoFar + DAY_SHRINKAGE * profileDay),
    profileLeft *
      ratio(recent + RECENT_SHRINKAGE * profileDay, profileRecent + RECENT_SHRINKAGE * profileDay),
  ]
  return {
    linear: spent + linearLeft,
    yesterday: spent + yesterdayLeft,
    median: spent + (experts.sort((a, b) => a - b)[3] ?? 0),
  }
}

/** The mean of earlier days by time of day, each with 0.8 of the weight of the one after it. */
function fadingProfile(tokens: Float64Array, day: number): Float64Array {
  const profile = new Float64Array(DAY)
  let weights = 0
  let weight = 1
  for (let earlier = day - 1; earlier >= 0; earlier--) {
    for (let at = 0; at < DAY; at++) {
      profile[at] = (profile[at] ?? 0) + weight * (tokens[earlier * DAY + at] ?? 0)
    }
    weights += weight
    weight *= DAY_DECAY
  }
  return profile.map((amount) => amount / weights)
}

/** Windows `from` to before `until`; none lie before 0. */
export function sum(tokens: Float64Array, from: number, until: number): number {
  let total = 0
  for (let at = Math.max(0, from); at < until; at++) total += tokens[at] ?? 0
  return total
}
