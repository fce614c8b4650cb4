/** Scores that peaks are sorted by: each bucket is a twenty-fifth wider than the one before. */
const SCORES: readonly number[] = (() => {
  const scores = [1]
  while ((scores.at(-1) ?? 0) < 20) scores.push((scores.at(-1) ?? 1) * 1.04)
  return scores
})()

/** Alarms that a scope is to have in a day at most, and what limits aim at: what was learned lags behind what comes. */
export const WANTED_PER_DAY = 0.1
const AIMED_PER_DAY = 0.09
/** A limit is at least a little above what was seen recently, and three times that is always told of. */
const LEAST_LIMIT = 1.02
const MOST_LIMIT = 3
/** What the peers show counts as much as so many days of the scope's own. */
const PEER_DAYS = 20
/** Before anything is known of peers: so many days' worth, with the wanted rate at this limit. */
const PRIOR_DAYS = 20
const PRIOR_LIMIT = 1.5
const MEMORY_DAYS = 4096

/** How high episodes of all scopes of one sort went, and of how many days they are. Plain data. */
export type SpikePeers = { counts: number[]; days: number }

export const noPeers = (): SpikePeers => ({ counts: [], days: 0 })

export function addPeak(peers: SpikePeers, score: number): void {
  let at = 0
  while (at < SCORES.length - 1 && (SCORES[at + 1] ?? 0) <= score) at++
  while (peers.counts.length <= at) peers.counts.push(0)
  peers.counts[at] = (peers.counts[at] ?? 0) + 1
}

export function addDays(peers: SpikePeers, days: number): void {
  peers.days += days
  if (peers.days < MEMORY_DAYS) return
  peers.days = Math.floor(peers.days / 2)
  peers.counts = peers.counts.map((count) => Math.floor(count / 2))
}

/**
 * The lowest score beyond which a scope has no more than the wanted alarms a day, as far as its own past and its peers
 * show.
 * @param own scores of its own peaks @param ownDays of which they are all
 */
export function limitFor(peers: SpikePeers, own: readonly number[], ownDays: number): number {
  let peersAbove = 0
  for (const count of peers.counts) peersAbove += count
  for (const [at, score] of SCORES.entries()) {
    // Peaks within the bucket above its lower end are above it.
    if (at > 0) peersAbove -= peers.counts[at - 1] ?? 0
    if (score < LEAST_LIMIT) continue
    if (score >= MOST_LIMIT) break
    const prior = (AIMED_PER_DAY * PRIOR_LIMIT * PRIOR_LIMIT) / (score * score)
    const peerRate = (peersAbove + PRIOR_DAYS * prior) / (peers.days + PRIOR_DAYS)
    let ownAbove = 0
    for (const peak of own) if (peak > score) ownAbove++
    const rate = (ownAbove + PEER_DAYS * peerRate) / (ownDays + PEER_DAYS)
    if (Math.round(rate * 1e9) <= Math.round(AIMED_PER_DAY * 1e9)) return score
  }
  return MOST_LIMIT
}
