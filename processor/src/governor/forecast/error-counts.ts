/**
 * How errors of forecasts spread, in units of the error that was expected: counts in buckets whose edges grow by a
 * quarter from one to the next, on either side of 0. Plain JSON.
 */
export type ErrorCounts = number[]

const FIRST_EDGE = 0.05
const EDGE_GROWTH = 1.25
const EDGE_COUNT = 32
/** At this many errors all counts are halved, so that what is new shows. */
const MEMORY_ERRORS = 4096

/** Upper ends of the buckets above 0, rising. */
const EDGES: readonly number[] = Array.from({ length: EDGE_COUNT }, (_, index) => {
  let edge = FIRST_EDGE
  for (let step = 0; step < index; step++) edge *= EDGE_GROWTH
  return edge
})
/** The bucket of 0 and of what is nearer to it than the first edge. */
const MIDDLE = EDGE_COUNT - 1
const BUCKETS = 2 * EDGE_COUNT - 1

/**
 * What is assumed before anything was seen: twenty errors with exponential tails (a Laplace distribution with a mean
 * absolute value of 1), at its quantiles 2.5 %, 7.5 % and so on.
 */
const ASSUMED = [0.05, 0.16, 0.29, 0.43, 0.6, 0.8, 1.05, 1.39, 1.9, 3]

export function assumedErrors(): ErrorCounts {
  const counts = Array.from({ length: BUCKETS }, () => 0)
  for (const error of ASSUMED) {
    addError(counts, error)
    addError(counts, -error)
  }
  return counts
}

export function addError(counts: ErrorCounts, error: number): void {
  const bucket = bucketOf(error)
  counts[bucket] = (counts[bucket] ?? 0) + 1
  if (totalOf(counts) < MEMORY_ERRORS) return
  for (const [index, count] of counts.entries()) counts[index] = count / 2
}

/** The error that this share of errors is below; inside a bucket they are taken to lie evenly. */
export function errorQuantile(counts: ErrorCounts, share: number): number {
  const wanted = share * totalOf(counts)
  let passed = 0
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && passed + count >= wanted) {
      const [from, until] = edgesOf(bucket)
      return from + (until - from) * ((wanted - passed) / count)
    }
    passed += count
  }
  return EDGES.at(-1) ?? 0
}

/** The share of errors above one. */
export function shareAbove(counts: ErrorCounts, error: number): number {
  let above = 0
  for (const [bucket, count] of counts.entries()) {
    const [from, until] = edgesOf(bucket)
    if (error <= from) above += count
    else if (error < until) above += count * ((until - error) / (until - from))
  }
  return above / totalOf(counts)
}

function bucketOf(error: number): number {
  const size = Math.abs(error)
  let distance = 0
  while (distance < EDGE_COUNT - 1 && size >= (EDGES[distance] ?? 0)) distance++
  return error < 0 ? MIDDLE - distance : MIDDLE + distance
}

function edgesOf(bucket: number): [from: number, until: number] {
  const distance = Math.abs(bucket - MIDDLE)
  const outer = EDGES[distance] ?? 0
  if (distance === 0) return [-outer, outer]
  const inner = EDGES[distance - 1] ?? 0
  return bucket < MIDDLE ? [-outer, -inner] : [inner, outer]
}

function totalOf(counts: ErrorCounts): number {
  let total = 0
  for (const count of counts) total += count
  return total
}
