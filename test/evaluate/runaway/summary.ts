import { type Level, LEVELS } from '../../../processor/src/governor/detect/levels.ts'
import { seededRandom } from '../../support/random.ts'
import { pageRules } from './page-rules.ts'
import type { RecordedRun, TokenScale } from './recording.ts'
import { type Alarm, replay } from './replay.ts'
import { curveAt, type Score, scoreOf } from './score.ts'

/** Runs of a model with fewer finished ones before them are its cold start. */
export const COLD_START_RUNS = 20
/** The rules held against need as many finished runs as the detector itself. */
const MIN_FINISHED = 6

/** What the detector does at a level, and what the rules held against avoid at as many alarms. */
export type LevelScore = Score & {
  readonly level: Level
  readonly rulesAvoidPercent: number
  readonly cappedMissedAfterColdStart: number
}

export type Part = { readonly part: string; readonly levels: readonly LevelScore[] }

/** Means over several orders of the same runs. */
export type OrderMean = {
  readonly level: Level
  readonly alarmedPercent: number
  readonly avoidedPercent: number
  readonly rulesAvoidPercent: number
  readonly cappedMissed: number
}

export type Summary = {
  readonly runs: number
  readonly withoutSteps: number
  readonly coldStart: { readonly finishedRuns: number; readonly runs: number }
  readonly levels: readonly LevelScore[]
  readonly rules: readonly (Score & { readonly rule: string })[]
  readonly curve: readonly (Score & { readonly rule: string })[]
  /** The same runs, with tokens that are known at the time. */
  readonly byChars: readonly LevelScore[]
  readonly parts: readonly Part[]
  readonly orders: { readonly count: number; readonly levels: readonly OrderMean[] }
}

/** @param orders how many random orders to run as well */
export function summarize(
  runs: readonly RecordedRun[],
  alarms: readonly (readonly Alarm[])[],
  orders: number,
): Summary {
  const rules = pageRules(runs, MIN_FINISHED)
  const cold = coldRuns(runs)
  const named = ({ name, alarms: steps }: { name: string; alarms: readonly number[] }) => ({
    rule: name,
    ...scoreOf(runs, steps),
  })
  return {
    runs: runs.length,
    withoutSteps: runs.filter(({ steps }) => steps.length === 0).length,
    coldStart: { finishedRuns: COLD_START_RUNS, runs: cold.size },
    levels: levelScores(runs, alarms, cold),
    rules: rules.named.map(named),
    curve: [...rules.tokenCurve, ...rules.eitherCurve].map(named),
    byChars: levelScores(runs, replay(runs, 'chars'), cold),
    parts: partsOf(runs).map(({ part, of }) => {
      const chosen = runs.flatMap((run, at) => (of(run, at) ? [at] : []))
      const pick = <Value>(values: readonly Value[]) => chosen.map((at) => values[at] as Value)
      const partCold = new Set(chosen.flatMap((at, place) => (cold.has(at) ? [place] : [])))
      return { part, levels: levelScores(pick(runs), pick(alarms), partCold) }
    }),
    orders: { count: orders, levels: orderMeans(runs, orders) },
  }
}

function levelScores(
  runs: readonly RecordedRun[],
  alarms: readonly (readonly Alarm[])[],
  cold: ReadonlySet<number>,
): LevelScore[] {
  const rules = pageRules(runs, MIN_FINISHED)
  const curves = [rules.tokenCurve, rules.eitherCurve].map((curve) =>
    curve.map((rule) => scoreOf(runs, rule.alarms)),
  )
  return LEVELS.map((level) => {
    const steps = alarms.map((own) => own.find((alarm) => alarm.level === level)?.step ?? 0)
    const score = scoreOf(runs, steps)
    return {
      level,
      ...score,
      rulesAvoidPercent: Math.max(...curves.map((curve) => curveAt(curve, score.alarmedPercent))),
      cappedMissedAfterColdStart: runs.filter(
        ({ capped }, at) => capped && steps[at] === 0 && !cold.has(at),
      ).length,
    }
  })
}

function coldRuns(runs: readonly RecordedRun[]): Set<number> {
  const finished = new Map<string, number>()
  const cold = new Set<number>()
  for (const [at, { model, capped }] of runs.entries()) {
    const before = finished.get(model) ?? 0
    if (before < COLD_START_RUNS) cold.add(at)
    if (!capped) finished.set(model, before + 1)
  }
  return cold
}

function partsOf(
  runs: readonly RecordedRun[],
): { part: string; of: (run: RecordedRun, at: number) => boolean }[] {
  const half = runs.length / 2
  const sources = [...new Set(runs.map(({ source }) => source))]
  const models = [...new Set(runs.map(({ model }) => model))]
  return [
    { part: 'first half', of: (_: RecordedRun, at: number) => at < half },
    { part: 'second half', of: (_: RecordedRun, at: number) => at >= half },
    ...sources.map((source) => ({
      part: `source ${source}`,
      of: (run: RecordedRun) => run.source === source,
    })),
    ...models.map((model) => ({
      part: `model ${model}`,
      of: (run: RecordedRun) => run.model === model,
    })),
  ]
}

function orderMeans(runs: readonly RecordedRun[], orders: number): OrderMean[] {
  if (orders === 0) return []
  const scale: TokenScale = 'scaled'
  const scores = Array.from({ length: orders }, (_, seed) => {
    const order = shuffled(runs, seed)
    return levelScores(order, replay(order, scale), coldRuns(order))
  })
  return LEVELS.map((level, at) => {
    const mean = (figure: (score: LevelScore) => number) => {
      const sum = scores.reduce((total, own) => total + (own[at] ? figure(own[at]) : 0), 0)
      return Math.round((100 * sum) / orders) / 100
    }
    return {
      level,
      alarmedPercent: mean((score) => score.alarmedPercent),
      avoidedPercent: mean((score) => score.avoidedPercent),
      rulesAvoidPercent: mean((score) => score.rulesAvoidPercent),
      cappedMissed: mean((score) => score.capped - score.cappedFound),
    }
  })
}

function shuffled<Value>(values: readonly Value[], seed: number): Value[] {
  const random = seededRandom(seed + 1)
  const order = [...values]
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const moved = order[at] as Value
    order[at] = order[other] as Value
    order[other] = moved
  }
  return order
}
