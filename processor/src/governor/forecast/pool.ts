import { addError, assumedErrors, type ErrorCounts } from './error-counts.ts'
import { EXPERTS } from './experts.ts'
import { FIRST_MISS_SHARE, missShareAfter } from './miss-share.ts'
import { CHECKPOINTS } from './plan.ts'

/** What the forecasts of all scopes of one kind of window taught, for those that know little yet. Plain JSON. */
export type ForecastPool = { readonly checkpoints: readonly PeerErrors[] }

type PeerErrors = {
  /** Forecasts that were held against what came; the latest thousand count. */
  count: number
  /** Sums of losses, in mean windows of their scope: of each expert, and of the forecast made of them. */
  readonly expertLosses: number[]
  loss: number
  /** Errors in units of what was expected, of scopes with usage at most times, and of the others. */
  readonly steady: ErrorCounts
  readonly bursty: ErrorCounts
  /** The share of ends that intervals are made to miss: it follows what they did miss. */
  missShare: number
}

export type CheckpointErrors = {
  readonly expertLosses: readonly number[]
  readonly loss: number
  /** In units of what was expected. */
  readonly error: number
  readonly activeShare: number
  /** Whether what came lay in the interval; null where none was given. */
  readonly isCovered: boolean | null
}

const STEADY_SHARE = 0.5
const MEMORY_FORECASTS = 1024
/** The loss assumed, and for how many forecasts, before there are any: half a mean window at the start, 0 at the end. */
const ASSUMED_LOSS = 0.5
const ASSUMED_COUNT = 2
const MISS_SHARE_STEP = 0.004

export function emptyPool(): ForecastPool {
  return {
    checkpoints: Array.from({ length: CHECKPOINTS }, (_, checkpoint) => {
      const loss = ASSUMED_LOSS * (1 - checkpoint / CHECKPOINTS) * ASSUMED_COUNT
      return {
        count: ASSUMED_COUNT,
        expertLosses: EXPERTS.map(() => loss),
        loss,
        steady: assumedErrors(),
        bursty: assumedErrors(),
        missShare: FIRST_MISS_SHARE,
      }
    }),
  }
}

export function learnFrom(pool: ForecastPool, checkpoint: number, errors: CheckpointErrors): void {
  const peers = pool.checkpoints[checkpoint]
  if (!peers) return
  if (peers.count >= MEMORY_FORECASTS) {
    peers.count /= 2
    peers.loss /= 2
    for (const [expert, loss] of peers.expertLosses.entries()) peers.expertLosses[expert] = loss / 2
  }
  peers.count++
  peers.loss += errors.loss
  for (const [expert, loss] of errors.expertLosses.entries()) {
    peers.expertLosses[expert] = (peers.expertLosses[expert] ?? 0) + loss
  }
  addError(errorsOf(peers, errors.activeShare), errors.error)
  if (errors.isCovered !== null) {
    peers.missShare = missShareAfter(peers.missShare, errors.isCovered, MISS_SHARE_STEP)
  }
}

export function peerMissShare(pool: ForecastPool, checkpoint: number): number {
  return pool.checkpoints[checkpoint]?.missShare ?? FIRST_MISS_SHARE
}

export function peerExpertLosses(pool: ForecastPool, checkpoint: number): readonly number[] {
  return pool.checkpoints[checkpoint]?.expertLosses ?? []
}

/** The mean loss of forecasts at each checkpoint. */
export function peerLosses(pool: ForecastPool): number[] {
  return pool.checkpoints.map(({ loss, count }) => loss / count)
}

export function peerErrors(
  pool: ForecastPool,
  checkpoint: number,
  activeShare: number,
): ErrorCounts {
  const peers = pool.checkpoints[checkpoint]
  return peers ? errorsOf(peers, activeShare) : assumedErrors()
}

function errorsOf(peers: PeerErrors, activeShare: number): ErrorCounts {
  return activeShare >= STEADY_SHARE ? peers.steady : peers.bursty
}
