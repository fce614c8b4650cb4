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
const WANTED_RATES: PerLevel = [0.08, 0.045, 0.025, 0.008]
/** A task is left alone until it has spent so many times what half of its likes do in all: to be told of, ... */
const EARLY_FROM = 0.5
/** ... and from this level on, to be stopped. */
const LATE_FROM = 1
const FIRST_LATE_LEVEL = 2
/**
 * Beyond the highest finished task there is nothing to learn a limit from. A limit is at most so many times as high,
 * divided by the number of tasks, or as high as that one itself. The fewer there are, the less their highest says.
 */
const TIMES_HIGHEST: PerLevel = [20, 40, 0, 0]
/** For stopping some room is always left: of stopped tasks nothing is learned that could bring a limit up again. */
const ROOM_BEYOND_HIGHEST = 120
/** Fewer finished tasks than this are no measure. */
export const MIN_TASKS = 6
/** At so many finished tasks all counts are halved, so that a change of habit shows within some hundred tasks. */
const MEMORY_TASKS = 1024
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
  /**
   * Tasks that a decision stopped, by level that they had reached. They are not learned from, or a runaway would make the
   * next one look normal; but they count where limits are set, or each one stopped by mistake would bring them down.
   */
  stopped: [notice: number, cheaper: number, pause: number, kill: number]
}

/** A task that is over. */
export type FinishedTask = {
  /** Tokens after the last step at or before each mark of `STEP_MARKS`, up to the mark of the last step. */
  readonly path: readonly number[]
  readonly steps: number
  readonly contextSlope: number
  /** `null` where it came to an end of its own; else how many of `LEVELS` it had reached when it was stopped. */
  readonly stoppedAt: number | null
}

export const emptyBaseline = (): TaskBaseline => ({
  tokens: [],
  steps: emptySketch(),
  slopes: emptySketch(),
  early: emptyCalibration(),
  late: emptyCalibration(),
  tasks: 0,
  stopped: [0, 0, 0, 0],
})

/** @returns whether anything was learned */
export function learnTask(baseline: TaskBaseline, task: FinishedTask): boolean {
  const { path, stoppedAt } = task
  const total = path.at(-1) ?? 0
  if (total <= 0) return false
  if (stoppedAt !== null) return countStopped(baseline, stoppedAt)
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
  if (baseline.tasks >= MEMORY_TASKS) forgetHalf(baseline)
  return true
}

function countStopped({ stopped }: TaskBaseline, levels: number): boolean {
  for (let level = 0; level < levels; level++) stopped[level] = (stopped[level] ?? 0) + 1
  return levels > 0
}

function forgetHalf(baseline: TaskBaseline): void {
  for (const sketch of baseline.tokens) halve(sketch)
  halve(baseline.steps)
  halve(baseline.slopes)
  halveShares(baseline.early)
  halveShares(baseline.late)
  baseline.tasks = Math.floor(baseline.tasks / 2)
  for (const level of [0, 1, 2, 3] as const) {
    baseline.stopped[level] = Math.floor(baseline.stopped[level] / 2)
  }
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
    level < FIRST_LATE_LEVEL
      ? shareFor(baseline.early, rate, 0)
      : shareFor(baseline.late, rate, baseline.stopped[level] ?? 0),
  )
  const tasks = Math.max(1, baseline.tasks)
  const most = TIMES_HIGHEST.map((times, level) =>
    level < FIRST_LATE_LEVEL ? Math.max(1, times / tasks) : 1 + ROOM_BEYOND_HIGHEST / tasks,
  )
  return baseline.tokens.map((sketch) => {
    const limit = (level: number) =>
      Math.max(
        Math.round(usual * (level < FIRST_LATE_LEVEL ? EARLY_FROM : LATE_FROM)),
        limitAt(sketch, tasks, shares[level] ?? 0, most[level] ?? 1),
      )
    return [limit(0), limit(1), limit(2), limit(3)]
  })
}

/** @param most times the highest task, where so small a share of so few tasks says nothing */
function limitAt(sketch: Sketch, tasks: number, share: number, most: number): number {
  const above = share * (tasks + 1)
  if (above >= 0.5) return Math.round(valueWithAbove(sketch, above - 0.5))
  const beyond = above > 0 ? 0.5 / above : Infinity
  return Math.round(highest(sketch) * Math.min(most, beyond))
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
