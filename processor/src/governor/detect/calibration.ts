/** Lower ends of the buckets of a share, falling: each is four fifths of the one before; the last is 0. */
const EDGES: readonly number[] = (() => {
  const edges: number[] = []
  for (let edge = 0.8; edge > 1e-6; edge *= 0.8) edges.push(edge)
  edges.push(0)
  return edges
})()

/**
 * Before anything is known: of tasks that finish well, four times as many as a share have at some step spent more than
 * all but that share of their likes had by then, since a task has many steps at which to stand out.
 */
const PRIOR_RATIO = 4
/** What is known beforehand counts as much as this many tasks. */
const PRIOR_TASKS = 50

/**
 * How far finished tasks stood out at the step at which they stood out most, as the share of their likes that had spent
 * as much or more by then. From it follows at which share to speak, so that a wanted part of the tasks that finish
 * is spoken of, whatever the tasks are like. Plain data: counts by bucket of `EDGES`.
 */
export type Calibration = { counts: number[]; total: number }

export const emptyCalibration = (): Calibration => ({ counts: [], total: 0 })

/** @param share the least of a finished task, between 0 and 1 */
export function addShare(calibration: Calibration, share: number): void {
  let at = 0
  while (at < EDGES.length - 1 && share < (EDGES[at] ?? 0)) at++
  while (calibration.counts.length <= at) calibration.counts.push(0)
  calibration.counts[at] = (calibration.counts[at] ?? 0) + 1
  calibration.total++
}

export function halveShares(calibration: Calibration): void {
  calibration.counts = calibration.counts.map((count) => Math.ceil(count / 2))
  calibration.total = calibration.counts.reduce((sum, count) => sum + count, 0)
}

/**
 * The share below which to speak, such that `rate` of the tasks go below it at some step.
 * @param rate between 0 and 1
 * @param stopped tasks that went below it and did not come to an end
 * @returns 0 where no task that came to an end is to go below it
 */
export function shareFor({ counts, total }: Calibration, rate: number, stopped: number): number {
  const wanted = rate * (total + stopped + PRIOR_TASKS) - stopped
  const priorPerShare = PRIOR_TASKS * PRIOR_RATIO
  if (wanted <= 0) return 0
  let seen = 0
  for (let at = EDGES.length - 1; at >= 0; at--) {
    const low = EDGES[at] ?? 0
    const high = at === 0 ? 1 : (EDGES[at - 1] ?? 1)
    const count = counts[at] ?? 0
    // Tasks seen below `high`, spread evenly within their bucket, and those expected beforehand.
    if (seen + count + high * priorPerShare >= wanted) {
      const missing = wanted - seen - low * priorPerShare
      return low + ((high - low) * Math.max(0, missing)) / (count + (high - low) * priorPerShare)
    }
    seen += count
  }
  return 1
}
