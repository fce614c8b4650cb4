import { breachProbability } from './breach.ts'
import { type Estimate, estimateAt } from './estimate.ts'
import { exhaustionMs } from './exhaustion.ts'
import type { ForecastHistory } from './history.ts'
import { planOf, type SpanAt } from './plan.ts'
import type { ForecastPool } from './pool.ts'

/** What one window comes to. Amounts are whole, in the unit of the usage that was recorded. */
export type Forecast = {
  /** The end-of-window value that is as likely passed as not. */
  readonly point: number
  /** The end-of-window value lies between these in four of five windows. */
  readonly lower: number
  readonly upper: number
  /** That the window comes to more than the limit, 0 to 1; null without a limit. */
  readonly breachProbability: number | null
  /** When the limit is passed, where a breach is to be expected; null where it is not. */
  readonly exhaustionMs: number | null
  readonly pastError: PastError
}

/** How earlier forecasts at about this point of the window did, older ones counting less. */
export type PastError = {
  /** Windows that were forecast and are over, each weighted. */
  readonly windows: number
  /** Mean distance from what came, in mean windows; null where there are none. */
  readonly meanError: number | null
  /** The share of them that ended inside the interval; null where there are none. */
  readonly coverage: number | null
}

/** A breach is to be expected from this probability on: a little below even, as a breach that was missed is worse. */
export const BREACH_EXPECTED = 0.45

export type ForecastQuestion = {
  readonly nowMs: number
  /** Of the window so far; what is not in the history counts too. */
  readonly spent: number
  readonly limit: number | null
}

/**
 * The forecast of the window that runs. Changes nothing.
 * @returns null where history is insufficient
 */
export function forecastAt(
  history: ForecastHistory,
  pool: ForecastPool,
  { nowMs, spent, limit }: ForecastQuestion,
  spanAt: SpanAt,
): Forecast | null {
  const estimate = estimateAt(history, pool, nowMs, spanAt)
  if (!estimate?.isSufficient) return null
  return {
    point: Math.round(spent + estimate.remaining),
    lower: Math.round(spent + estimate.interval[0]),
    upper: Math.round(spent + estimate.interval[1]),
    ...breachOf(history, estimate, nowMs, limit === null ? null : limit - spent),
    pastError: pastErrorOf(history, estimate.checkpoint),
  }
}

function breachOf(
  { window }: ForecastHistory,
  estimate: Estimate,
  nowMs: number,
  left: number | null,
): Pick<Forecast, 'breachProbability' | 'exhaustionMs'> {
  if (left === null) return { breachProbability: null, exhaustionMs: null }
  const probability = breachProbability(estimate, left)
  return {
    breachProbability: probability,
    exhaustionMs:
      probability < BREACH_EXPECTED
        ? null
        : exhaustionMs(planOf(window), estimate, { nowMs, left, breachProbability: probability }),
  }
}

function pastErrorOf({ errors }: ForecastHistory, checkpoint: number): PastError {
  const own = errors[checkpoint]
  if (!own || own.windows === 0) return { windows: 0, meanError: null, coverage: null }
  return {
    windows: own.windows,
    meanError: own.loss / own.windows,
    coverage: own.intervals > 0 ? own.covered / own.intervals : null,
  }
}
