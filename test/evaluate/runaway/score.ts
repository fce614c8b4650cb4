import { type RecordedRun, tokensThrough } from './recording.ts'

/** What alarms were worth on some runs. */
export type Score = {
  /** Runs that were not capped, those of them that were resolved, and those with an alarm. */
  readonly completed: number
  readonly completedAlarmed: number
  readonly resolved: number
  readonly resolvedAlarmed: number
  /** Percent of the completed runs. */
  readonly alarmedPercent: number
  readonly capped: number
  readonly cappedFound: number
  /** Percent of what the capped runs spent that was still to come at their alarms. */
  readonly avoidedPercent: number
  /** The same of each capped run, none where it had no alarm: the median. */
  readonly leftMedianPercent: number
}

/** @param alarms the step of each run's alarm; 0 where there is none */
export function scoreOf(runs: readonly RecordedRun[], alarms: readonly number[]): Score {
  const completed = { all: 0, alarmed: 0, resolved: 0, resolvedAlarmed: 0 }
  const capped = { all: 0, found: 0, spent: 0, avoided: 0 }
  const left: number[] = []
  for (const [at, run] of runs.entries()) {
    const step = alarms[at] ?? 0
    const isAlarmed = step > 0
    if (run.capped) {
      const spent = tokensThrough(run, run.steps.length)
      const avoided = isAlarmed ? spent - tokensThrough(run, step) : 0
      capped.all++
      if (isAlarmed) capped.found++
      capped.spent += spent
      capped.avoided += avoided
      left.push(spent > 0 ? (100 * avoided) / spent : 0)
    } else {
      completed.all++
      if (isAlarmed) completed.alarmed++
      if (run.resolved) completed.resolved++
      if (run.resolved && isAlarmed) completed.resolvedAlarmed++
    }
  }
  left.sort((a, b) => a - b)
  return {
    completed: completed.all,
    completedAlarmed: completed.alarmed,
    resolved: completed.resolved,
    resolvedAlarmed: completed.resolvedAlarmed,
    alarmedPercent: percent(completed.alarmed, completed.all),
    capped: capped.all,
    cappedFound: capped.found,
    avoidedPercent: percent(capped.avoided, capped.spent),
    leftMedianPercent: round(left[Math.floor(left.length / 2)] ?? 0),
  }
}

/**
 * What a curve of rules avoids at a rate of alarms, on straight lines between its points, from nothing at no alarm;
 * where it is not rising, the best up to there.
 */
export function curveAt(points: readonly Score[], alarmedPercent: number): number {
  const sorted = [...points].sort((a, b) => a.alarmedPercent - b.alarmedPercent)
  let before = { alarmedPercent: 0, avoidedPercent: 0 }
  for (const point of sorted) {
    if (point.alarmedPercent >= alarmedPercent) {
      const width = point.alarmedPercent - before.alarmedPercent
      const way = width > 0 ? (alarmedPercent - before.alarmedPercent) / width : 1
      const rise = Math.max(0, point.avoidedPercent - before.avoidedPercent)
      return round(before.avoidedPercent + rise * way)
    }
    if (point.avoidedPercent > before.avoidedPercent) before = point
  }
  return round(before.avoidedPercent)
}

const percent = (part: number, whole: number) => (whole > 0 ? round((100 * part) / whole) : 0)
const round = (value: number) => Math.round(value * 100) / 100
