import { WINDOWS_PER_DAY } from '../forecast/series.ts'
import { replay } from './detector.ts'
import {
  delayOf,
  episodesAbove,
  limitFor,
  type Scorer,
  SCORERS,
  scoresOf,
} from './page-detectors.ts'
import {
  type Client,
  type Factor,
  FACTORS,
  type Kind,
  KINDS,
  type Runaway,
  TESTED_FROM_DAY,
  TUNED_FROM_DAY,
} from './traffic.ts'

/** The alarm rate that limits are set for. */
export const WANTED_PER_DAY = 0.1

/** What was found of runaways of one size. */
export type Found = {
  readonly factor: Factor
  readonly foundPercent: number
  /** Median of those found; `null` where none was. */
  readonly delayMinutes: number | null
}

export type DetectorScore = {
  readonly detector: string
  /** How its limit was set. */
  readonly limit: 'learned online' | 'set on days 5 to 7' | "at the detector's alarm rate"
  readonly alarmsPerDay: number
  readonly found: readonly Found[]
}

export type KindSummary = {
  readonly kind: Kind
  readonly clients: number
  readonly runaways: number
  readonly detectors: readonly DetectorScore[]
}

/** One added runaway, and what the detector made of it. */
export type SpikeRow = {
  readonly client: string
  readonly kind: Kind
  readonly factor: Factor
  readonly fromWindow: number
  readonly delayMinutes: number | null
}

export type Evaluation = { readonly rows: SpikeRow[]; readonly summary: KindSummary[] }

export function evaluate(clients: readonly Client[], runaways: readonly Runaway[]): Evaluation {
  const { episodes, delays } = replay(clients, runaways)
  const rows = runaways.map(({ client, factor, from }, at) => ({
    client: client.name,
    kind: client.kind,
    factor,
    fromWindow: from,
    delayMinutes: delays[at] ?? null,
  }))
  const summary = KINDS.map((kind) => {
    const own = clients.filter((client) => client.kind === kind)
    const runs = runaways.filter(({ client }) => client.kind === kind)
    const days = (own[0]?.tokens.length ?? 0) / WINDOWS_PER_DAY
    const alarms = own.reduce((sum, client) => sum + (episodes.get(client) ?? 0), 0)
    const alarmsPerDay = own.length > 0 ? alarms / own.length / (days - TESTED_FROM_DAY) : 0
    const detector: DetectorScore = {
      detector: 'governor',
      limit: 'learned online',
      alarmsPerDay: round(alarmsPerDay, 3),
      found: foundOf(
        runs,
        delays.filter((_, at) => runaways[at]?.client.kind === kind),
      ),
    }
    const others =
      own.length > 0 ? SCORERS.flatMap((scorer) => held(scorer, own, runs, days, alarmsPerDay)) : []
    return { kind, clients: own.length, runaways: runs.length, detectors: [detector, ...others] }
  })
  return { rows, summary }
}

function held(
  scorer: Scorer,
  clients: readonly Client[],
  runaways: readonly Runaway[],
  days: number,
  alarmsPerDay: number,
): DetectorScore[] {
  const tested = scoresOf(scorer, clients, TESTED_FROM_DAY, days)
  const tuned = limitFor(scoresOf(scorer, clients, TUNED_FROM_DAY, TESTED_FROM_DAY), WANTED_PER_DAY)
  const score = (limit: DetectorScore['limit'], value: number): DetectorScore => {
    const episodes = tested.reduce((sum, own) => sum + episodesAbove(own, value), 0)
    return {
      detector: scorer.name,
      limit,
      alarmsPerDay: round(episodes / clients.length / (days - TESTED_FROM_DAY), 3),
      found: foundOf(
        runaways,
        runaways.map((runaway) => delayOf(scorer, value, runaway)),
      ),
    }
  }
  return [
    score('set on days 5 to 7', tuned),
    score("at the detector's alarm rate", limitFor(tested, alarmsPerDay)),
  ]
}

function foundOf(runaways: readonly Runaway[], delays: readonly (number | null)[]): Found[] {
  return FACTORS.map((factor) => {
    const own = delays.filter((_, at) => runaways[at]?.factor === factor)
    const found = own.filter((delay) => delay !== null).sort((a, b) => a - b)
    return {
      factor,
      foundPercent: own.length > 0 ? round((100 * found.length) / own.length, 1) : 0,
      delayMinutes: found[Math.floor((found.length - 1) / 2)] ?? null,
    }
  })
}

function round(value: number, digits: number): number {
  const scale = 10 ** digits
  return Math.round(value * scale) / scale
}
