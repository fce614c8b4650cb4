import { EXPERTS } from './experts.ts'
import { WANTED_MISS_SHARE } from './miss-share.ts'
import { CHECKPOINTS } from './plan.ts'

/** How a scope's own forecasts at one checkpoint did, older windows counting less. Plain JSON. */
export type OwnErrors = {
  /** Windows, each weighted. */
  windows: number
  /** Sums of losses in mean windows: of each expert, and of the forecast. */
  readonly expertLosses: number[]
  loss: number
  /** Weighted windows with an interval, and those of them whose end lay in it. */
  intervals: number
  covered: number
  /** What is added to the peers' share of ends that intervals are made to miss. */
  missShareShift: number
}

/** A window's weight against the one after it. */
const DECAY = 0.9
/** A loss of more than this many mean windows counts as so many: one odd window does not decide alone. */
export const LOSS_CAP = 3

const MISS_SHARE_STEP = 0.03
const MISS_SHARE_SHIFT_MAX = 0.2

export function noErrors(): OwnErrors[] {
  return Array.from({ length: CHECKPOINTS }, () => ({
    windows: 0,
    expertLosses: EXPERTS.map(() => 0),
    loss: 0,
    intervals: 0,
    covered: 0,
    missShareShift: 0,
  }))
}

/** @param isCovered null where no interval was given */
export function remember(
  own: OwnErrors,
  expertLosses: readonly number[],
  loss: number,
  isCovered: boolean | null,
): void {
  own.windows = rounded(own.windows * DECAY + 1)
  own.loss = rounded(own.loss * DECAY + loss)
  for (const [expert, expertLoss] of expertLosses.entries()) {
    own.expertLosses[expert] = rounded((own.expertLosses[expert] ?? 0) * DECAY + expertLoss)
  }
  if (isCovered === null) return
  own.intervals = rounded(own.intervals * DECAY + 1)
  own.covered = rounded(own.covered * DECAY + (isCovered ? 1 : 0))
  const shift = own.missShareShift + MISS_SHARE_STEP * (WANTED_MISS_SHARE - (isCovered ? 0 : 1))
  const bound = MISS_SHARE_SHIFT_MAX
  own.missShareShift = rounded(Math.min(bound, Math.max(-bound, shift)))
}

/** Six digits keep the state short. */
const rounded = (value: number) => Math.round(value * 1e6) / 1e6
