import { bucketOf, lowerEnd, upperEnd } from './log-buckets.ts'

/**
 * How often values of each size were seen, in buckets whose width is an eighth of the value at most. Plain data; as many
 * numbers as there are buckets between the smallest and the largest value seen.
 */
export type Sketch = { first: number; counts: number[]; total: number }

export const emptySketch = (): Sketch => ({ first: 0, counts: [], total: 0 })

export const copyOf = ({ first, counts, total }: Sketch): Sketch => ({
  first,
  counts: [...counts],
  total,
})

/** @param value not negative */
export function addTo(sketch: Sketch, value: number): void {
  const bucket = bucketOf(value)
  if (sketch.counts.length === 0) sketch.first = bucket
  while (bucket < sketch.first) {
    sketch.counts.unshift(0)
    sketch.first--
  }
  const at = bucket - sketch.first
  while (sketch.counts.length <= at) sketch.counts.push(0)
  sketch.counts[at] = (sketch.counts[at] ?? 0) + 1
  sketch.total++
}

/** Halves all counts, so that what came later weighs more. What rounding takes from one bucket it gives to the next. */
export function halve(sketch: Sketch): void {
  let carry = 0
  let total = 0
  for (const [at, count] of sketch.counts.entries()) {
    const half = Math.floor((count + carry) / 2)
    carry = (count + carry) % 2
    sketch.counts[at] = half
    total += half
  }
  sketch.total = total
}

/**
 * The value that `above` of the values seen exceed, read between a bucket's ends as if it were filled evenly.
 * @param above a number of values, not necessarily whole
 */
export function valueWithAbove(sketch: Sketch, above: number): number {
  let seen = 0
  for (let at = sketch.counts.length - 1; at >= 0; at--) {
    const count = sketch.counts[at] ?? 0
    if (count > 0 && seen + count >= above) {
      const bucket = sketch.first + at
      const low = lowerEnd(bucket)
      const high = upperEnd(bucket)
      return high - ((high - low) * Math.max(0, above - seen)) / count
    }
    seen += count
  }
  return lowerEnd(sketch.first)
}

/** How many of the values seen exceed one; in part where it lies within their bucket. */
export function countAbove(sketch: Sketch, value: number): number {
  const bucket = bucketOf(value)
  let above = 0
  for (let at = sketch.counts.length - 1; at >= 0; at--) {
    const count = sketch.counts[at] ?? 0
    if (sketch.first + at < bucket) break
    if (sketch.first + at > bucket) above += count
    else {
      const low = lowerEnd(bucket)
      const high = upperEnd(bucket)
      above += (count * (high - Math.min(value, high))) / (high - low)
    }
  }
  return above
}

/** The end of the highest bucket that holds anything; 0 where nothing was seen. */
export function highest(sketch: Sketch): number {
  for (let at = sketch.counts.length - 1; at >= 0; at--) {
    if ((sketch.counts[at] ?? 0) > 0) return upperEnd(sketch.first + at)
  }
  return 0
}

/** @param share between 0 and 1, of the values at or below it. @returns null where nothing was seen */
export function quantile(sketch: Sketch, share: number): number | null {
  if (sketch.total === 0) return null
  return valueWithAbove(sketch, sketch.total * (1 - share))
}
