/** The middle of the opinions: this share of their weight is cut off at either side. */
const CUT = 0.2
/** Windows of the peers' losses that own losses are mixed with. */
const PEER_WINDOWS = 2
/** Losses nearer than this share of their mean count as near equal. */
const LOSS_FLOOR = 0.02

/**
 * Weights by past losses, the best expert's being 1: the square of the best loss over one's own.
 * @param losses sums of own losses by expert, over `windows` windows, older ones counting less
 * @param peerLosses mean losses of all scopes, relative to each other
 */
export function weightsOf(
  losses: readonly number[],
  windows: number,
  peerLosses: readonly number[],
): number[] {
  const ownMean = windows > 0 ? meanOf(losses) / windows : 1
  const peerMean = meanOf(peerLosses)
  const mixed = losses.map((loss, expert) => {
    const peer = peerMean > 0 ? (peerLosses[expert] ?? 0) / peerMean : 1
    return (loss + PEER_WINDOWS * ownMean * peer) / (windows + PEER_WINDOWS)
  })
  const best = Math.min(...mixed)
  const floor = LOSS_FLOOR * ownMean
  return mixed.map((loss) => {
    const ratio = loss + floor > 0 ? (best + floor) / (loss + floor) : 1
    return ratio * ratio
  })
}

/** The mean of the middle opinions: between the weighted mean and the weighted median. */
export function middleOf(opinions: readonly number[], weights: readonly number[]): number {
  const order = [...opinions.keys()].sort(
    (a, b) => (opinions[a] ?? 0) - (opinions[b] ?? 0) || a - b,
  )
  const all = weights.reduce((total, weight) => total + weight, 0)
  const from = CUT * all
  const until = (1 - CUT) * all
  let passed = 0
  let total = 0
  let counted = 0
  for (const expert of order) {
    const weight = weights[expert] ?? 0
    const inside = Math.min(passed + weight, until) - Math.max(passed, from)
    if (inside > 0) {
      total += inside * (opinions[expert] ?? 0)
      counted += inside
    }
    passed += weight
  }
  return total / counted
}

export function meanOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length
}
