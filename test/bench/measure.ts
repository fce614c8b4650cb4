export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** The value below which a share of all lies, by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Operations a second of a function that does so many of them, the best of several rounds after a warm-up. */
export function ratePerSecond(operations: number, rounds: number, run: () => void): number {
  run()
  let best = 0
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now()
    run()
    best = Math.max(best, (operations / (performance.now() - startMs)) * 1000)
  }
  return best
}
