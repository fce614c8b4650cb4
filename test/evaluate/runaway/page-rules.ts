import type { RecordedRun } from './recording.ts'

/**
 * The rules that the detector is held against: those of other projects, and limits from the agent's own finished runs,
 * exact ones over all runs of the same model that came before. Each gives the step of its first alarm, 0 for none.
 */
export type Rule = { readonly name: string; readonly alarms: readonly number[] }

/** Quantiles of the tokens of finished runs: the curve of the token rules. */
const CURVE_QUANTILES = [
  0.7, 0.75, 0.8, 0.84, 0.88, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995,
]

export type PageRules = {
  readonly named: readonly Rule[]
  /** Alarms at rising quantiles, by tokens alone, and by tokens or one of four repetition rules. */
  readonly tokenCurve: readonly Rule[]
  readonly eitherCurve: readonly Rule[]
}

/** @param minFinished runs with fewer finished ones before them have no limit */
export function pageRules(runs: readonly RecordedRun[], minFinished: number): PageRules {
  const repetition = runs.map((run) => firstStep(run, isRepeating))
  const tokens = (limit: (sorted: readonly number[]) => number) =>
    byLimit(runs, minFinished, 'tokens', limit)
  const either = (alarms: readonly number[]) =>
    alarms.map((step, at) => earlier(step, repetition[at] ?? 0))
  const q95 = tokens((sorted) => quantile(sorted, 0.95))
  return {
    named: [
      { name: '3 identical consecutive calls', alarms: runs.map((run) => identicalCalls(run, 3)) },
      { name: '5 identical consecutive calls', alarms: runs.map((run) => identicalCalls(run, 5)) },
      { name: 'union of 4 repetition rules', alarms: repetition },
      { name: 'tokens > q90', alarms: tokens((sorted) => quantile(sorted, 0.9)) },
      { name: 'tokens > q95', alarms: q95 },
      { name: 'tokens > 2x median', alarms: tokens((sorted) => 2 * quantile(sorted, 0.5)) },
      { name: 'tokens > 3x median', alarms: tokens((sorted) => 3 * quantile(sorted, 0.5)) },
      {
        name: 'steps > q95',
        alarms: byLimit(runs, minFinished, 'steps', (sorted) => quantile(sorted, 0.95)),
      },
      { name: 'union or tokens > q95', alarms: either(q95) },
    ],
    tokenCurve: CURVE_QUANTILES.map((share) => ({
      name: `tokens > q${share * 100}`,
      alarms: tokens((sorted) => quantile(sorted, share)),
    })),
    eitherCurve: CURVE_QUANTILES.map((share) => ({
      name: `union or tokens > q${share * 100}`,
      alarms: either(tokens((sorted) => quantile(sorted, share))),
    })),
  }
}

function byLimit(
  runs: readonly RecordedRun[],
  minFinished: number,
  unit: 'tokens' | 'steps',
  limitOf: (sorted: readonly number[]) => number,
): number[] {
  const finished = new Map<string, number[]>()
  return runs.map((run) => {
    const before = finished.get(run.model) ?? []
    finished.set(run.model, before)
    const limit = before.length < minFinished ? Infinity : limitOf(before)
    let spent = 0
    let alarm = 0
    for (const [at, step] of run.steps.entries()) {
      spent += unit === 'tokens' ? step.tokens.scaled : 1
      if (alarm === 0 && spent > limit) alarm = at + 1
    }
    if (!run.capped) insert(before, spent)
    return alarm
  })
}

function insert(sorted: number[], value: number): void {
  const at = sorted.findIndex((other) => other > value)
  if (at < 0) sorted.push(value)
  else sorted.splice(at, 0, value)
}

/** Between neighbours on a straight line. */
function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] ?? 0
  return below + ((sorted[Math.ceil(place)] ?? below) - below) * (place - Math.floor(place))
}

const earlier = (a: number, b: number) => (a === 0 ? b : b === 0 ? a : Math.min(a, b))

function firstStep(run: RecordedRun, isAlarm: (run: RecordedRun, at: number) => boolean): number {
  for (let at = 0; at < run.steps.length; at++) if (isAlarm(run, at)) return at + 1
  return 0
}

function identicalCalls(run: RecordedRun, count: number): number {
  let same = 0
  for (const [at, { call }] of run.steps.entries()) {
    same = at > 0 && call === run.steps[at - 1]?.call ? same + 1 : 1
    if (same >= count) return at + 1
  }
  return 0
}

/** Cycle of up to 5 three times, the same pair four times, the same call 5 times in 20, or 30 % repeats in 20. */
function isRepeating({ steps }: RecordedRun, at: number): boolean {
  const pair = (place: number) => `${steps[place]?.call}/${steps[place]?.result}`
  for (let period = 1; period <= 5; period++) {
    if (at + 1 < 3 * period) continue
    let isCycle = true
    for (let back = 0; back < 2 * period; back++) {
      if (pair(at - back) !== pair(at - back - period)) isCycle = false
    }
    if (isCycle) return true
  }
  const places = Array.from({ length: at + 1 }, (_, place) => place)
  if (places.filter((place) => pair(place) === pair(at)).length >= 4) return true
  const recent = places.slice(-20)
  if (recent.filter((place) => steps[place]?.call === steps[at]?.call).length >= 5) return true
  return recent.length >= 10 && 1 - new Set(recent.map(pair)).size / recent.length >= 0.3
}
