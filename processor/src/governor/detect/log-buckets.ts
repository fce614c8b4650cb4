/** Equal parts of an octave: a bucket is at most an eighth wide, in parts of its lower end. */
const PER_OCTAVE = 16
const OCTAVES = 48

/** Lower ends of the buckets, rising: 0, then from 1 on octaves in eight equal steps. */
const LOWER: readonly number[] = (() => {
  const lower = [0]
  for (let octave = 1, at = 0; at < OCTAVES; octave *= 2, at++) {
    for (let step = 0; step < PER_OCTAVE; step++) lower.push(octave * (1 + step / PER_OCTAVE))
  }
  return lower
})()

/** The bucket of a value that is not negative; the last one holds all that is larger. */
export function bucketOf(value: number): number {
  let low = 0
  let high = LOWER.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((LOWER[middle] ?? 0) <= value) low = middle
    else high = middle - 1
  }
  return low
}

export const lowerEnd = (bucket: number): number => LOWER[Math.min(bucket, LOWER.length - 1)] ?? 0
export const upperEnd = (bucket: number): number => lowerEnd(bucket + 1)
