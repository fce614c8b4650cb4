/** For so long nobody tries an address again at which a connect got no answer. */
const AVOID_MS = 5_000
const ORIGINS_MAX = 16

/**
 * Addresses at which a connect was neither taken nor refused. Every attempt there keeps the process alive until it
 * is given up, so several parts of the preload that try in turn would keep it alive without end.
 */
const untilMs = new Map<string, number>()

export function markDeadEnd(origin: string): void {
  if (untilMs.size >= ORIGINS_MAX) untilMs.clear()
  untilMs.set(origin, performance.now() + AVOID_MS)
}

export function isDeadEnd(origin: string): boolean {
  const until = untilMs.get(origin)
  if (until === undefined) return false
  if (performance.now() < until) return true
  untilMs.delete(origin)
  return false
}
