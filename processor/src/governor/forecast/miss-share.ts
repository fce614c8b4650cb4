export const WANTED_MISS_SHARE = 0.2
const MIN = 0.04
const MAX = 0.4

/** Errors of the past are a little smaller than those to come, so intervals begin wider than wanted. */
export const FIRST_MISS_SHARE = 0.16

/**
 * The share of ends that an interval is made to miss, after one more end: less after a miss, more after none, so that
 * a fifth is missed in the long run (adaptive conformal inference, Gibbs and Candès 2021).
 */
export function missShareAfter(missShare: number, isCovered: boolean, step: number): number {
  const moved = missShare + step * (WANTED_MISS_SHARE - (isCovered ? 0 : 1))
  return Math.round(withinBounds(moved) * 1e6) / 1e6
}

export const withinBounds = (missShare: number) => Math.min(MAX, Math.max(MIN, missShare))
