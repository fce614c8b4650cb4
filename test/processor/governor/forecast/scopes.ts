import {
  advance,
  beginHistory,
  emptyPool,
  type ForecastHistory,
  type ForecastPool,
  type ForecastWindow,
  recordUsage,
  type SpanAt,
} from '../../../../processor/src/governor/forecast/index.ts'
import { windowAt } from '../../../../processor/src/governor/windows.ts'
import type { Zone } from '@tokenfuse/protocol'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
/** A Monday, the first of a month: 2026-06-01T00:00:00Z. */
export const MONDAY_MS = 20_605 * DAY_MS

export const UTC: Zone = { name: 'UTC', offsets: [{ fromMs: 0, offsetMs: 0 }] }

export function spansOf(window: ForecastWindow, zone: Zone = UTC): SpanAt {
  return (timeMs) => {
    const { fromMs, untilMs } = windowAt(window, timeMs, zone)
    if (untilMs === null) throw new Error(`${window} has no end`)
    return { fromMs, untilMs }
  }
}

export type Usage = { readonly timeMs: number; readonly amount: number }

/** A scope and its peers, as the governor keeps them. */
export class Scope {
  readonly window: ForecastWindow
  readonly spanAt: SpanAt
  readonly pool: ForecastPool
  history: ForecastHistory | null = null

  constructor(window: ForecastWindow, zone: Zone = UTC, pool: ForecastPool = emptyPool()) {
    this.window = window
    this.spanAt = spansOf(window, zone)
    this.pool = pool
  }

  use({ timeMs, amount }: Usage): void {
    this.history ??= beginHistory(this.window, timeMs, this.spanAt)
    advance(this.history, this.pool, timeMs, this.spanAt)
    recordUsage(this.history, timeMs, amount)
  }

  passTo(nowMs: number): ForecastHistory {
    if (!this.history) throw new Error('nothing was used')
    advance(this.history, this.pool, nowMs, this.spanAt)
    return this.history
  }
}

/** The same amount at the start of every step. */
export function* steadyUsage(
  fromMs: number,
  untilMs: number,
  stepMs: number,
  amount: number,
): Generator<Usage> {
  for (let timeMs = fromMs; timeMs < untilMs; timeMs += stepMs) yield { timeMs, amount }
}
