import { errorQuantile, type ErrorCounts } from './error-counts.ts'
import { type Opinions, opinionsOf } from './experts.ts'
import type { ForecastHistory } from './history.ts'
import { withinBounds } from './miss-share.ts'
import { middleOf, weightsOf } from './opinion-weights.ts'
import type { OwnErrors } from './own-errors.ts'
import { CHECKPOINTS, planOf, type SpanAt } from './plan.ts'
import {
  type ForecastPool,
  peerErrors,
  peerExpertLosses,
  peerLosses,
  peerMissShare,
} from './pool.ts'
import { type Seasons, seasonsOf } from './seasons.ts'
import { UsageView } from './usage-bins.ts'

/** What is expected between a moment and the end of its window. */
export type Estimate = {
  readonly seasons: Seasons
  /** The nearest checkpoint: errors there are those to be expected here. */
  readonly checkpoint: number
  readonly opinions: Opinions
  readonly weights: readonly number[]
  readonly remaining: number
  /** The error to be expected. */
  readonly spread: number
  /** How errors are distributed, in units of the expected. */
  readonly errors: ErrorCounts
  readonly interval: readonly [lower: number, upper: number]
  /** Whether there is history enough to say it. */
  readonly isSufficient: boolean
}

/** Windows of the peers' errors that own errors are mixed with. */
const PEER_WINDOWS = 2
/** The part of the expected error that is taken from how far the experts are apart, times what fits both. */
const DISAGREEMENT_PART = 0.3
const DISAGREEMENT_FACTOR = 1.5
const DISAGREEMENT_CAP = 3

/** @returns null where there is no earlier season, or no usage in any */
export function estimateAt(
  history: ForecastHistory,
  pool: ForecastPool,
  nowMs: number,
  spanAt: SpanAt,
): Estimate | null {
  const plan = planOf(history.window)
  const view = new UsageView(history.bins, plan, nowMs)
  const seasons = seasonsOf(view, plan, spanAt, history.bornMs)
  if (seasons.shifts.length === 0 || seasons.scale <= 0) return null
  const opinions = opinionsOf(view, plan, seasons)
  const { fromMs, untilMs } = seasons.span
  const place = ((nowMs - fromMs) / (untilMs - fromMs)) * CHECKPOINTS
  const checkpoint = Math.min(CHECKPOINTS - 1, Math.round(place))
  const own = history.errors[checkpoint]
  const weights = weightsOf(
    own?.expertLosses ?? [],
    own?.windows ?? 0,
    peerExpertLosses(pool, checkpoint),
  )
  const remaining = middleOf(opinions.remaining, weights)
  const spread = spreadOf(history.errors, peerLosses(pool), place, {
    remaining,
    opinions: opinions.remaining,
    scale: seasons.scale,
  })
  const errors = peerErrors(pool, checkpoint, seasons.activeShare)
  const missShare = withinBounds(peerMissShare(pool, checkpoint) + (own?.missShareShift ?? 0))
  const interval = intervalOf(remaining, spread, errors, missShare)
  const isSufficient = seasons.active >= plan.activeSeasonsMin
  return {
    seasons,
    checkpoint,
    opinions,
    weights,
    remaining,
    spread,
    errors,
    interval,
    isSufficient,
  }
}

/** @param place in checkpoints from the start of the window; the error is 0 at its end */
function spreadOf(
  own: readonly OwnErrors[],
  peers: readonly number[],
  place: number,
  expected: {
    readonly remaining: number
    readonly opinions: readonly number[]
    readonly scale: number
  },
): number {
  const lossAt = (checkpoint: number) => {
    const errors = own[checkpoint]
    if (!errors) return 0
    const peer = PEER_WINDOWS * (peers[checkpoint] ?? 0)
    return (errors.loss + peer) / (errors.windows + PEER_WINDOWS)
  }
  const before = Math.floor(place)
  const share = place - before
  const loss = lossAt(before) * (1 - share) + lossAt(before + 1) * share
  const { remaining, opinions, scale } = expected
  let disagreement = 0
  for (const opinion of opinions) {
    disagreement += Math.min(DISAGREEMENT_CAP, Math.abs(opinion - remaining) / scale)
  }
  disagreement /= opinions.length
  return (
    scale *
    ((1 - DISAGREEMENT_PART) * loss + DISAGREEMENT_PART * DISAGREEMENT_FACTOR * disagreement)
  )
}

/** Of what remains: none of it below 0, and the forecast itself inside. */
function intervalOf(
  remaining: number,
  spread: number,
  errors: ErrorCounts,
  missShare: number,
): [lower: number, upper: number] {
  const lower = remaining + spread * errorQuantile(errors, missShare / 2)
  // Nothing comes below 0: then all that may be missed is missed above.
  const upperShare = lower <= 0 ? 1 - missShare : 1 - missShare / 2
  const upper = remaining + spread * errorQuantile(errors, upperShare)
  return [Math.max(0, Math.min(lower, remaining)), Math.max(upper, remaining)]
}
