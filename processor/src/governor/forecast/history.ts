import { noErrors, type OwnErrors } from './own-errors.ts'
import { CHECKPOINTS, type ForecastWindow, planOf, type Span, type SpanAt } from './plan.ts'
import { addToBins, binAt, emptyBins, type UsageBins } from './usage-bins.ts'

/** What one scope used, and how its forecasts did. Plain JSON; its size does not grow. */
export type ForecastHistory = {
  readonly window: ForecastWindow
  /** Nothing is known of the time before. */
  readonly bornMs: number
  readonly bins: UsageBins
  /** By checkpoint. */
  readonly errors: readonly OwnErrors[]
  /** The window that runs. */
  span: Span
  /** The next checkpoint of it; `CHECKPOINTS` where only its end is to come. */
  checkpoint: number
  /** Forecasts made at its checkpoints, to be held against what comes. */
  pending: PendingForecast[]
}

/** Amounts are in mean windows, so that their numbers are short, but for the first two. */
export type PendingForecast = {
  readonly checkpoint: number
  readonly spent: number
  /** A mean window. */
  readonly scale: number
  readonly activeShare: number
  /** By expert, from then to the end. */
  readonly opinions: readonly number[]
  readonly remaining: number
  /** The error that was expected. */
  readonly spread: number
  /** Of what remains; null where history was insufficient to tell. */
  readonly interval: readonly [lower: number, upper: number] | null
}

/** A history that begins with a scope's first usage. */
export function beginHistory(
  window: ForecastWindow,
  firstMs: number,
  spanAt: SpanAt,
): ForecastHistory {
  const plan = planOf(window)
  const span = spanAt(firstMs)
  const bins = emptyBins(plan, span.fromMs)
  const firstBinMs = binAt(plan, bins.phaseMs, firstMs) * plan.binMs + bins.phaseMs
  return {
    window,
    // A first hour or day counts from its start; a week or month has to be whole.
    bornMs: plan.activeSeasonsMin > 1 ? span.fromMs : firstBinMs,
    bins,
    errors: noErrors(),
    span,
    checkpoint: checkpointAfter(span, firstMs),
    pending: [],
  }
}

/**
 * Adds usage; call `advance` up to now before.
 * @param amount whole tokens, or money in whole units of which a window's fit a safe integer
 * @returns false where the time is older than what is remembered, and nothing was added
 */
export function recordUsage(history: ForecastHistory, timeMs: number, amount: number): boolean {
  return addToBins(history.bins, planOf(history.window), timeMs, amount)
}

export function checkpointMs({ fromMs, untilMs }: Span, checkpoint: number): number {
  return fromMs + Math.round(((untilMs - fromMs) * checkpoint) / CHECKPOINTS)
}

/** The first checkpoint after a time. */
export function checkpointAfter(span: Span, timeMs: number): number {
  let checkpoint = 0
  while (checkpoint < CHECKPOINTS && checkpointMs(span, checkpoint) <= timeMs) checkpoint++
  return checkpoint
}
