import {
  advance,
  beginHistory,
  emptyPool,
  forecastAt,
  type ForecastHistory,
  recordUsage,
  type Span,
} from '../../../processor/src/governor/forecast/index.ts'
import { type Baselines, baselinesAt, sum } from './baselines.ts'
import { type Recording, type Series, WINDOWS_PER_DAY } from './series.ts'

export const FRACTIONS = [0.25, 0.5, 0.75] as const
/** The limit that a day is held against, in means of the earlier days. */
export const LIMIT_MEANS = 1.2

/** One question to the forecast, with what came. Days count from 1, amounts are tokens. */
export type Row = {
  readonly client: string
  readonly model: string
  readonly day: number
  readonly fraction: number
  readonly actual: number
  /** Null where history is insufficient, and so are the next three. */
  readonly point: number | null
  readonly lower: number | null
  readonly upper: number | null
  readonly breach: number | null
  readonly linear: number
  readonly regular: boolean | null
}

/** What the tables need beside it. */
export type Answer = Row & {
  readonly series: Series
  readonly spent: number
  /** Of earlier days, those without traffic included; 0 on day 1. */
  readonly meanDay: number
  readonly baselines: Baselines
  /** Hours from the start of the day until the limit is passed; null where that is not expected. */
  readonly exhaustionHours: number | null
}

const MINUTES_10_MS = 600_000
const HOUR_MS = 6 * MINUTES_10_MS
const DAY_MS = WINDOWS_PER_DAY * MINUTES_10_MS
/** A Monday, so that days are whole days of UTC. */
const START_MS = 20_458 * DAY_MS

const dayAt = (timeMs: number): Span => {
  const fromMs = Math.floor(timeMs / DAY_MS) * DAY_MS
  return { fromMs, untilMs: fromMs + DAY_MS }
}

/**
 * Every series goes through the governor's forecast side by side, ten minutes at a time: each forecast knows what came
 * before its moment, of its own scope and of the others, and nothing else.
 */
export function replay({ days, series }: Recording): Answer[] {
  const pool = emptyPool()
  const histories = new Map<Series, ForecastHistory>()
  const answers: Answer[] = []
  for (let window = 0; window <= days * WINDOWS_PER_DAY; window++) {
    const nowMs = START_MS + window * MINUTES_10_MS
    for (const history of histories.values()) advance(history, pool, nowMs, dayAt)
    const day = Math.floor(window / WINDOWS_PER_DAY)
    const fraction = FRACTIONS.find((part) => part * WINDOWS_PER_DAY === window % WINDOWS_PER_DAY)
    for (const one of series) {
      const history = histories.get(one)
      if (fraction !== undefined && day < days) {
        const question = questionOf(one, day, fraction)
        const forecast = history ? forecastAt(history, pool, { nowMs, ...question }, dayAt) : null
        const startMs = START_MS + day * DAY_MS
        const exhaustionMs = forecast?.exhaustionMs ?? null
        answers.push({
          ...question,
          point: forecast?.point ?? null,
          lower: forecast?.lower ?? null,
          upper: forecast?.upper ?? null,
          breach: forecast?.breachProbability ?? null,
          exhaustionHours: exhaustionMs === null ? null : (exhaustionMs - startMs) / HOUR_MS,
        })
      }
      const tokens = one.tokens[window] ?? 0
      if (tokens === 0) continue
      const known = history ?? beginHistory('day', nowMs, dayAt)
      histories.set(one, known)
      recordUsage(known, nowMs, tokens)
    }
  }
  return answers
}

function questionOf(series: Series, day: number, fraction: number) {
  const { client, model, tokens, isRegular } = series
  const start = day * WINDOWS_PER_DAY
  const at = fraction * WINDOWS_PER_DAY
  const meanDay = day === 0 ? 0 : sum(tokens, 0, start) / day
  const spent = sum(tokens, start, start + at)
  const linear = spent / fraction
  return {
    client,
    model,
    day: day + 1,
    fraction,
    actual: sum(tokens, start, start + WINDOWS_PER_DAY),
    linear,
    regular: isRegular,
    series,
    spent,
    limit: day === 0 ? null : LIMIT_MEANS * meanDay,
    meanDay,
    baselines:
      day === 0 ? { linear, yesterday: spent, median: spent } : baselinesAt(tokens, day, at),
  }
}
