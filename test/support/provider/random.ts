// Chance by hash: the same request under the same seed always gets the same answer.

/** A 53-bit hash of a text (cyrb53). */
export function hashText(text: string): number {
  let a = 0xdeadbeef
  let b = 0x41c6ce57
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    a = Math.imul(a ^ unit, 2654435761)
    b = Math.imul(b ^ unit, 1597334677)
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909)
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909)
  return 4294967296 * (2097151 & b) + (a >>> 0)
}

/** Folds `value` into `hash`. The order of foldings matters. */
export function mixHash(hash: number, value: number): number {
  let low = Math.imul((hash | 0) ^ (value | 0), 2654435761)
  low ^= low >>> 15
  let high = Math.imul(upperHalf(hash) ^ upperHalf(value) ^ low, 1597334677)
  high ^= high >>> 13
  return 4294967296 * (high & 2097151) + (low >>> 0)
}

function upperHalf(hash: number): number {
  return Math.floor(hash / 4294967296)
}

export type Random = () => number

/** Uniform numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): Random {
  let state = (seed ^ Math.floor(seed / 4294967296)) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

export type Lognormal = { readonly median: number; readonly sigma: number }

export function drawLognormal(random: Random, { median, sigma }: Lognormal): number {
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return median * Math.exp(sigma * normal)
}
