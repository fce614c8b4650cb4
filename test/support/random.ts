/** Repeatable random numbers in [0, 1): the same seed gives the same numbers. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    // The mulberry32 generator: small, and good enough to vary test inputs.
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The bytes in pieces of 1 byte to 64 KiB, small ones as likely as large ones. */
export function cutRandomly(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  let from = 0
  while (from < bytes.length) {
    const size = Math.floor(2 ** (random() * 17) * 0.5) || 1
    pieces.push(bytes.subarray(from, from + size))
    from += size
  }
  return pieces
}
