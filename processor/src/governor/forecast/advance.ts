import { estimateAt } from './estimate.ts'
import {
  checkpointAfter,
  checkpointMs,
  type ForecastHistory,
  type PendingForecast,
} from './history.ts'
import { LOSS_CAP, remember } from './own-errors.ts'
import { CHECKPOINTS, planOf, type Span, type SpanAt } from './plan.ts'
import { type ForecastPool, learnFrom } from './pool.ts'
import { UsageView } from './usage-bins.ts'

/** Of amounts in mean windows. */
const ROUNDING = 1e-6

/** When `advance` has something to do next, ms since 1970. */
export function advanceDueMs({ span, checkpoint }: ForecastHistory): number {
  return checkpointMs(span, checkpoint)
}

/**
 * Lets time pass: forecasts at the checkpoints that are due, and holds those of windows that ended against what came.
 * Call it before usage is recorded, so that no forecast knows what came after it.
 * @returns whether anything changed
 */
export function advance(
  history: ForecastHistory,
  pool: ForecastPool,
  nowMs: number,
  spanAt: SpanAt,
): boolean {
  if (nowMs < advanceDueMs(history)) return false
  const { seasons } = planOf(history.window)
  while (nowMs >= advanceDueMs(history)) {
    if (history.checkpoint < CHECKPOINTS) {
      makeForecast(history, pool, spanAt)
      history.checkpoint++
      continue
    }
    learn(history, pool)
    const { fromMs, untilMs } = history.span
    // After a long silence there is nothing to be learned from window after window of it.
    const isLongAgo = nowMs - untilMs > seasons * (untilMs - fromMs)
    enter(history, spanAt(isLongAgo ? nowMs : untilMs), isLongAgo ? nowMs : untilMs - 1)
  }
  return true
}

function enter(history: ForecastHistory, span: Span, afterMs: number): void {
  history.span = span
  history.checkpoint = checkpointAfter(span, afterMs)
  history.pending = []
}

function makeForecast(history: ForecastHistory, pool: ForecastPool, spanAt: SpanAt): void {
  const { checkpoint, span, bins } = history
  const atMs = checkpointMs(span, checkpoint)
  const estimate = estimateAt(history, pool, atMs, spanAt)
  if (!estimate) return
  const view = new UsageView(bins, planOf(history.window), atMs)
  const { scale, activeShare } = estimate.seasons
  const relative = (amount: number) => Math.round((amount / scale) * 1e6) / 1e6
  history.pending.push({
    checkpoint,
    spent: view.between(span.fromMs, atMs),
    scale,
    activeShare,
    opinions: estimate.opinions.remaining.map(relative),
    remaining: relative(estimate.remaining),
    spread: relative(estimate.spread),
    interval: estimate.isSufficient
      ? [relative(estimate.interval[0]), relative(estimate.interval[1])]
      : null,
  })
}

function learn(history: ForecastHistory, pool: ForecastPool): void {
  const { span, bins, window } = history
  const view = new UsageView(bins, planOf(window), span.untilMs)
  const total = view.between(span.fromMs, span.untilMs)
  for (const forecast of history.pending) {
    learnFromOne(history, pool, forecast, Math.max(0, total - forecast.spent) / forecast.scale)
  }
}

/** @param came in mean windows */
function learnFromOne(
  history: ForecastHistory,
  pool: ForecastPool,
  { checkpoint, opinions, remaining, spread, interval, activeShare }: PendingForecast,
  came: number,
): void {
  const own = history.errors[checkpoint]
  if (!own) return
  const lossOf = (expected: number) => Math.min(LOSS_CAP, Math.abs(expected - came))
  const expertLosses = opinions.map(lossOf)
  const loss = lossOf(remaining)
  const isCovered = interval && came >= interval[0] - ROUNDING && came <= interval[1] + ROUNDING
  remember(own, expertLosses, loss, isCovered)
  const error = spread > 0 ? (came - remaining) / spread : 0
  learnFrom(pool, checkpoint, { expertLosses, loss, error, activeShare, isCovered })
}
