import {
  addShare,
  type Calibration,
  emptyCalibration,
  halveShares,
  shareFor,
} from './calibration.ts'
import type { PerLevel } from './levels.ts'
import {
  addTo,
  copyOf,
  countAbove,
  emptySketch,
  halve,
  highest,
  quantile,
  type Sketch,
  valueWithAbove,
} from './sketch.ts'
import { markOf, wayToMark } from './step-scale.ts'

/** Of tasks that finish, how many may be spoken of at each level. */
const WANTED_RATES: PerLevel = [0.085, 0.05, 0.03, 0.012]
/** A task is left alone until it has spent so many times what half of its likes do in all: to be told of, ... */
const EARLY_FROM = 0.5
/** ... and from this level on, to be stopped. */
const LATE_FROM = 1
const FIRST_LATE_LEVEL = 2
const KILL = 3
/** Fewer finished tasks than this are no measure. */
export const MIN_TASKS = 6
/** At so many finished tasks all counts are halved, so that a change of habit shows within some hundred tasks. */
const MEMORY_TASKS = 1024
/**
 * Tasks that were stopped are left out, or a runaway would make the next one look normal; but up to this share of all
 * they count as if they had finished, or each one stopped by mistake would bring the limits down a little further.
 */
const STOPPED_SHARE = 0.01

/**
 * What finished tasks of one kind have spent, step by step. At each mark of `STEP_MARKS` all of them count: those that
 * had ended by then with all they spent. Plain data.
 */
export type TaskBaseline = {
  /** By mark, up to the longest task. */
  tokens: Sketch[]
  steps: Sketch
  /** Growth of the context, in tokens a step. */
  slopes: Sketch
  /** Of the steps from `EARLY_FROM` on. */
  early: Calibration
  /** Of the steps from `LATE_FROM` on. */
  late: Calibration
  tasks: number
  /** Stopped tasks among them. */
  stopped: number
}

/** A task that is over. */
export type FinishedTask = {
  /** Tokens after the last step at or before each mark of `STEP_MARKS`, up to the mark of the last step. */
  readonly path: readonly number[]
  readonly steps: number
  readonly contextSlope: number
  readonly wasStopped: boolean
}

export const emptyBaseline = (): TaskBaseline => ({
  tokens: [],
  steps: emptySketch(),
  slopes: emptySketch(),
  early: emptyCalibration(),
  late: emptyCalibration(),
  tasks: 0,
  stopped: 0,
})

/** @returns whether anything was learned */
export function learnTask(baseline: TaskBaseline, task: FinishedTask): boolean {
  const { wasStopped } = task
  const path = wasStopped ? cutAtKill(baseline, task.path) : task.path
  const total = path.at(-1) ?? 0
  if (total <= 0) return false
  if (wasStopped && baseline.stopped + 1 > baseline.tasks * STOPPED_SHARE) return false
  if (baseline.tasks >= MIN_TASKS) {
    const usual = medianTotal(baseline) ?? 0
    addShare(baseline.early, leastShare(baseline, path, usual * EARLY_FROM))
    addShare(baseline.late, leastShare(baseline, path, usual * LATE_FROM))
  }
  while (baseline.tokens.length < path.length) {
    const last = baseline.tokens.at(-1)
    baseline.tokens.push(last ? copyOf(last) : emptySketch())
  }
  for (const [mark, sketch] of baseline.tokens.entries()) addTo(sketch, path[mark] ?? total)
  addTo(baseline.steps, task.steps)
  addTo(baseline.slopes, Math.max(0, task.contextSlope))
  baseline.tasks++
  if (wasStopped) baseline.stopped++
  if (baseline.tasks >= MEMORY_TASKS) forgetHalf(baseline)
  return true
}

/** What a task would have spent, had it been ended where tasks are to be. */
function cutAtKill(baseline: TaskBaseline, path: readonly number[]): number[] {
  const limits = limitsOf(baseline)
  return path.map((spent, mark) =>
    Math.min(spent, limits[Math.min(mark, limits.length - 1)]?.[KILL] ?? spent),
  )
}

function forgetHalf(baseline: TaskBaseline): void {
  for (const sketch of baseline.tokens) halve(sketch)
  halve(baseline.steps)
  halve(baseline.slopes)
  halveShares(baseline.early)
  halveShares(baseline.late)
  baseline.tasks = Math.floor(baseline.tasks / 2)
  baseline.stopped = Math.floor(baseline.stopped / 2)
}

/** The smallest share of finished tasks that had spent more by the same step, over a task's steps. */
function leastShare(
  { tokens, tasks }: TaskBaseline,
  path: readonly number[],
  fromTokens: number,
): number {
  let least = 1
  for (const [mark, spent] of path.entries()) {
    const sketch = tokens[Math.min(mark, tokens.length - 1)]
    if (!sketch || spent < fromTokens) continue
    const top = highest(sketch)
    const above = countAbove(sketch, spent)
    // Beyond all that was seen the share falls as the inverse of what is spent.
    const share = spent > top ? (0.5 * top) / spent : above + 0.5
    least = Math.min(least, share / (tasks + 1))
  }
  return least
}

/** Tokens beyond which each level speaks, after a number of steps. */
export type Limits = readonly PerLevel[]

/** The limits at each mark of the baseline. They hold until it learns something. */
export function limitsOf(baseline: TaskBaseline): Limits {
  const usual = medianTotal(baseline) ?? 0
  const shares = WANTED_RATES.map((rate, level) =>
    shareFor(level < FIRST_LATE_LEVEL ? baseline.early : baseline.late, rate),
  )
  return baseline.tokens.map((sketch) => {
    const limit = (level: number) =>
      Math.max(
        usual * (level < FIRST_LATE_LEVEL ? EARLY_FROM : LATE_FROM),
        limitAt(sketch, baseline, shares[level] ?? 0),
      )
    return [limit(0), limit(1), limit(2), limit(3)]
  })
}

function limitAt(sketch: Sketch, { tasks }: TaskBaseline, share: number): number {
  const above = share * (tasks + 1)
  if (above < 0.5) return Math.round((highest(sketch) * 0.5) / Math.max(above, 1e-6))
  return Math.round(valueWithAbove(sketch, above - 0.5))
}

/** The limit of a level after a step, between the marks on a straight line. @param level 0 is notice */
export function limitAfter(limits: Limits, step: number, level: number): number {
  const mark = markOf(step)
  const last = limits.length - 1
  const limit = limits[Math.min(mark, last)]?.[level] ?? Infinity
  if (mark > last || mark === 0) return limit
  const before = limits[mark - 1]?.[level] ?? limit
  return Math.round(before + (limit - before) * wayToMark(step, mark))
}

/** Half of the tasks that got as far went on for more steps than this; at least 1. */
export function stepsToCome({ steps }: TaskBaseline, step: number): number {
  const further = countAbove(steps, step)
  if (further < 1) return 1
  return Math.max(1, Math.round(valueWithAbove(steps, further / 2) - step))
}

/** Half of the finished tasks had spent more by then; whole, `null` where there are none. */
export function medianAfter({ tokens }: TaskBaseline, step: number): number | null {
  const sketch = tokens[Math.min(markOf(step), tokens.length - 1)]
  const median = sketch ? quantile(sketch, 0.5) : null
  return median === null ? null : Math.round(median)
}

/** What half of the finished tasks spent less than in all. */
export const medianTotal = (baseline: TaskBaseline): number | null =>
  medianAfter(baseline, Infinity)

export function medianSlope({ slopes }: TaskBaseline): number | null {
  const median = quantile(slopes, 0.5)
  return median === null ? null : Math.round(median)
}
