import { type ForecastPlan, seasonMs, type Span, type SpanAt } from './plan.ts'
import type { UsageView } from './usage-bins.ts'

/** How far back a time's counterpart lies in an earlier season. */
type Shift = { readonly fromStartMs: number; readonly fromEndMs: number }

/** The earlier seasons that a forecast is made from, the latest first. */
export type Seasons = {
  readonly span: Span
  readonly nowMs: number
  /** Nothing is known before it. */
  readonly bornMs: number
  /** What comes further ahead than a season is compared with the same seasons again; null where nothing does. */
  readonly repeatMs: number | null
  readonly shifts: readonly Shift[]
  /** Usage of each. */
  readonly totals: readonly number[]
  /** How many of them have usage. */
  readonly active: number
  /** The mean usage of a whole window in earlier ones. */
  readonly scale: number
  /** The share of bins with usage in the last seven seasons. */
  readonly activeShare: number
}

const ACTIVE_SHARE_SEASONS = 7

/** @param bornMs nothing is known before it */
export function seasonsOf(
  view: UsageView,
  plan: ForecastPlan,
  spanAt: SpanAt,
  bornMs: number,
): Seasons {
  const span = spanAt(view.nowMs)
  const shifts: Shift[] = []
  const totals: number[] = []
  let earlier = span
  for (let season = 1; season <= plan.seasons; season++) {
    earlier = plan.isSeasonWindow ? spanAt(earlier.fromMs - 1) : movedBack(earlier, seasonMs(plan))
    const shift = {
      fromStartMs: span.fromMs - earlier.fromMs,
      fromEndMs: span.untilMs - earlier.untilMs,
    }
    if (view.nowMs - shift.fromStartMs < bornMs) break
    shifts.push(shift)
    totals.push(view.between(...seasonBefore(view, plan, span, shift)))
  }
  const active = totals.filter((total) => total > 0).length
  const { nowMs } = view
  const repeatMs = plan.isSeasonWindow ? null : seasonMs(plan)
  return {
    span,
    nowMs,
    bornMs,
    repeatMs,
    shifts,
    totals,
    active,
    ...levelOf(view, plan, span, bornMs),
  }
}

/** Where windows are the seasons, the earlier window itself; else the season that ends where the other begins. */
function seasonBefore(
  view: UsageView,
  plan: ForecastPlan,
  span: Span,
  shift: Shift,
): [fromMs: number, untilMs: number] {
  if (plan.isSeasonWindow) {
    return [span.fromMs - shift.fromStartMs, span.untilMs - shift.fromEndMs]
  }
  const fromMs = view.nowMs - shift.fromStartMs
  return [fromMs, fromMs + seasonMs(plan)]
}

function movedBack(span: Span, ms: number): Span {
  return { fromMs: span.fromMs - ms, untilMs: span.untilMs - ms }
}

function levelOf(
  view: UsageView,
  plan: ForecastPlan,
  span: Span,
  bornMs: number,
): { scale: number; activeShare: number } {
  const memoryMs = plan.seasons * seasonMs(plan)
  const hasSeason = span.fromMs - bornMs >= seasonMs(plan)
  const untilMs = hasSeason ? span.fromMs : view.nowMs
  const fromMs = Math.max(bornMs, untilMs - memoryMs)
  const activeFromMs = Math.max(bornMs, untilMs - ACTIVE_SHARE_SEASONS * seasonMs(plan))
  const lengthMs = Math.max(plan.binMs, untilMs - fromMs)
  return {
    scale: (view.between(fromMs, untilMs) / lengthMs) * (span.untilMs - span.fromMs),
    activeShare: view.activeShare(activeFromMs, untilMs),
  }
}

/**
 * The counterpart of a time in an earlier season. Clocks change at night: in the first quarter of a window times
 * are counted from its start, then from its end, so that the same time on the clock is compared.
 */
export function counterpartMs(seasons: Seasons, shift: Shift, timeMs: number): number {
  const { nowMs, repeatMs } = seasons
  const { fromMs, untilMs } = seasons.span
  if (repeatMs !== null) {
    const ahead = Math.max(0, Math.floor((timeMs - nowMs) / repeatMs))
    return timeMs - shift.fromStartMs - ahead * repeatMs
  }
  const isEarly = timeMs < fromMs + (untilMs - fromMs) / 4
  return timeMs - (isEarly ? shift.fromStartMs : shift.fromEndMs)
}
