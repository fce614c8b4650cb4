/** Windows that end, so that their end can be forecast. */
export type ForecastWindow = 'hour' | 'day' | 'week' | 'month'

/** `fromMs` belongs to it, `untilMs` does not. Milliseconds since 1970. */
export type Span = { readonly fromMs: number; readonly untilMs: number }

/** The calendar window that a time falls in. */
export type SpanAt = (timeMs: number) => Span

/** How a kind of window is remembered. A season is what repeats: what was then is what may be now. */
export type ForecastPlan = {
  readonly binMs: number
  readonly seasonBins: number
  /** Seasons that are remembered, besides the one that runs. */
  readonly seasons: number
  /** Earlier seasons with usage, without which nothing is forecast. */
  readonly activeSeasonsMin: number
  /** Whether seasons are the windows themselves, so that they follow the clock's changes. */
  readonly isSeasonWindow: boolean
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const PLANS: Readonly<Record<ForecastWindow, ForecastPlan>> = {
  hour: {
    binMs: 5 * MINUTE_MS,
    seasonBins: 12,
    seasons: 24,
    activeSeasonsMin: 3,
    isSeasonWindow: true,
  },
  day: {
    binMs: 30 * MINUTE_MS,
    seasonBins: 48,
    seasons: 14,
    activeSeasonsMin: 3,
    isSeasonWindow: true,
  },
  week: {
    binMs: 6 * HOUR_MS,
    seasonBins: 28,
    seasons: 8,
    activeSeasonsMin: 1,
    isSeasonWindow: true,
  },
  // Months differ in length and in the weekday they begin with; what repeats in them is the week.
  month: {
    binMs: 6 * HOUR_MS,
    seasonBins: 28,
    seasons: 8,
    activeSeasonsMin: 1,
    isSeasonWindow: false,
  },
}

export function planOf(window: ForecastWindow): ForecastPlan {
  return PLANS[window]
}

/** Forecasts are held against what came at this many moments of each window, its start being the first. */
export const CHECKPOINTS = 8

export const seasonMs = (plan: ForecastPlan): number => plan.binMs * plan.seasonBins

/** Bins of the ring: the seasons remembered, and the one that runs. */
export const ringBins = (plan: ForecastPlan): number => (plan.seasons + 1) * plan.seasonBins
