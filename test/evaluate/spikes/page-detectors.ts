import { WINDOWS_PER_DAY } from '../forecast/series.ts'
import { type Client, type Runaway, RUNAWAY_WINDOWS, withRunaway } from './traffic.ts'

/** A score of each window from `from` to before `until`, out of the traffic up to it. */
export type Scorer = {
  readonly name: string
  scores(tokens: Float64Array, from: number, until: number): Float64Array
}

const HOUR = 6

/** What the detector is held against: the best of the published rules, and the one that is shipped most. */
export const SCORERS: readonly Scorer[] = [
  { name: '1-h sum / highest of 3 days', scores: sumAgainstHighest },
  { name: 'window / highest of 24 h', scores: windowAgainstHighest },
  { name: 'window / mean of 24 h', scores: windowAgainstMean },
]

function sumAgainstHighest(tokens: Float64Array, from: number, until: number): Float64Array {
  const first = Math.max(0, from - 3 * WINDOWS_PER_DAY)
  const sums = new Float64Array(until)
  for (let at = first; at < until; at++) {
    for (let back = 0; back < HOUR; back++) sums[at] = (sums[at] ?? 0) + (tokens[at - back] ?? 0)
  }
  return scored(from, until, (at) => {
    let highest = 0
    for (let past = Math.max(0, at - 3 * WINDOWS_PER_DAY); past <= at - HOUR; past++) {
      highest = Math.max(highest, sums[past] ?? 0)
    }
    return ratio(sums[at] ?? 0, highest)
  })
}

function windowAgainstHighest(tokens: Float64Array, from: number, until: number): Float64Array {
  return scored(from, until, (at) => {
    let highest = 0
    for (let past = Math.max(0, at - WINDOWS_PER_DAY); past < at; past++) {
      highest = Math.max(highest, tokens[past] ?? 0)
    }
    return ratio(tokens[at] ?? 0, highest)
  })
}

function windowAgainstMean(tokens: Float64Array, from: number, until: number): Float64Array {
  return scored(from, until, (at) => {
    let sum = 0
    const first = Math.max(0, at - WINDOWS_PER_DAY)
    for (let past = first; past < at; past++) sum += tokens[past] ?? 0
    return ratio(tokens[at] ?? 0, sum / (at - first))
  })
}

function scored(from: number, until: number, scoreOf: (at: number) => number): Float64Array {
  return Float64Array.from({ length: until - from }, (_, at) => scoreOf(from + at))
}

/** After nothing at all anything is beyond measure. */
const ratio = (value: number, against: number) =>
  against > 0 ? value / against : value > 0 ? Number.MAX_VALUE : 0

/** Alarms that are more than an hour apart. */
export function episodesAbove(scores: Float64Array, limit: number): number {
  let episodes = 0
  let last = -Infinity
  for (const [at, score] of scores.entries()) {
    if (score <= limit) continue
    if (at - last > HOUR) episodes++
    last = at
  }
  return episodes
}

/** The lowest limit, out of the scores themselves, with no more than so many episodes a client-day. */
export function limitFor(scores: readonly Float64Array[], perDay: number): number {
  const days = scores.reduce((sum, own) => sum + own.length, 0) / WINDOWS_PER_DAY
  const values = [...new Set(scores.flatMap((own) => [...own]))].sort((a, b) => b - a)
  let low = 0
  let high = values.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const limit = values[middle] ?? 0
    const episodes = scores.reduce((sum, own) => sum + episodesAbove(own, limit), 0)
    if (episodes <= perDay * days + 1e-9) low = middle
    else high = middle - 1
  }
  return values[low] ?? 0
}

/** Minutes until a rule finds a runaway; `null` where it does not within its time. */
export function delayOf(scorer: Scorer, limit: number, runaway: Runaway): number | null {
  const { from } = runaway
  const scores = scorer.scores(withRunaway(runaway), from, from + RUNAWAY_WINDOWS)
  const at = scores.findIndex((score) => score > limit)
  return at < 0 ? null : (at + 1) * 10
}

export const scoresOf = (
  scorer: Scorer,
  clients: readonly Client[],
  fromDay: number,
  untilDay: number,
): Float64Array[] =>
  clients.map(({ tokens }) =>
    scorer.scores(tokens, fromDay * WINDOWS_PER_DAY, untilDay * WINDOWS_PER_DAY),
  )
