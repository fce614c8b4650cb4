import type { UsageEvent } from '@tokenfuse/protocol'
import { type Codec, plainCodec, type StateChange, type StateRecord } from '../table.ts'
import { bloatOf } from './bloat.ts'
import type { Detection, Ending, Evidence, RunEnd } from './detection.ts'
import { type Kind, LEVELS } from './levels.ts'
import { ListMap } from './list-map.ts'
import { RecentTable } from './recent-table.ts'
import { addTurn, levelsByCost, noRepetition } from './repetition.ts'
import { addStep, beginRun, contextSlope, type Run, setLast, tokensOfNext } from './run.ts'
import { medianAfter, medianSlope, medianTotal, stepsToCome } from './task-baseline.ts'
import { type Measure, TaskBaselines } from './task-baselines.ts'

const UNKNOWN = 'unknown'
const SEPARATOR = '\u0000'
const NO_RUNS: readonly Run[] = []
/** A run that says nothing for so long is over. */
export const SILENT_MS = 3_600_000
const MAX_RUNS = 50_000
/** Runs of one task that are looked at for a trace. */
const MAX_SIBLINGS = 16
/** Silent runs that are ended at once, so that it does not take long; the others follow. */
const MAX_SILENT = 2000
/** Steps that the next-steps figure looks ahead. */
const STEPS_AHEAD = 5
/** From this level on an end is no sign that a task was in order. */
const STOPPING_LEVELS = 3

/** Who remembers a run between calls. */
export type RunHolder = { run: Run | null }

/** The runs that are under way, each held against the finished ones. */
export class Runs {
  readonly #runs = new RecentTable<Run>('run', runCodec())
  readonly #baselines: TaskBaselines
  readonly #maxRuns: number
  readonly #byName = new ListMap<Run>()
  /** Runs that an end is told of, earliest first. */
  readonly #ending = new Set<Run>()
  evicted = 0

  constructor(maxRuns = MAX_RUNS, maxBaselines?: number) {
    this.#maxRuns = maxRuns
    this.#baselines = new TaskBaselines(maxBaselines)
  }

  get evictedBaselines(): number {
    return this.#baselines.evicted
  }

  observe(run: Run, call: UsageEvent, timeMs: number, detections: Detection[]): void {
    const input = call.tokens.input ?? 0
    const tokens = input + (call.tokens.output ?? 0)
    run.lastMs = Math.max(run.lastMs, timeMs)
    setLast(run, call)
    if (tokens > 0) addStep(run, tokens, input)
    const measure = this.#measureOf(run)
    this.#judgeRepetition(run, call, tokens, measure, detections)
    if (tokens > 0) this.#judgeBloat(run, measure, detections)
    this.#runs.use(run)
  }

  /** Those of an agent that spent the most, the dearest first. */
  ofAgent(agent: string, count: number): Run[] {
    return [...this.#runs.values()]
      .filter((run) => run.agent === agent)
      .sort((a, b) => b.tokens - a.tokens || a.order - b.order)
      .slice(0, count)
  }

  #find(tenant: string, agent: string, name: string, isTrace: boolean): Run | null {
    for (const run of this.#byName.get(name) ?? NO_RUNS) {
      if (run.agent === agent && run.isTrace === isTrace && run.tenant === tenant) return run
    }
    return null
  }

  /**
   * The run, of whichever agent at the same task, whose newest call is of the same trace; `null` where none is known.
   * @param run that of the call
   */
  lastOfTrace(run: Run, { traceId }: UsageEvent): Run | null {
    const { tenant, isTrace } = run
    const runs = run.group ?? NO_RUNS
    for (let at = runs.length - 1; at >= Math.max(0, runs.length - MAX_SIBLINGS); at--) {
      const other = runs[at] as Run
      const isSameTrace = other.last.trace === traceId
      if (isSameTrace && other.tenant === tenant && other.isTrace === isTrace) return other
    }
    return null
  }

  /**
   * The run that a call belongs to, made where there is none.
   * @param holder remembers it for the next call of the same agent and task
   */
  runFor(call: UsageEvent, holder: RunHolder | null): Run {
    const { tenant, agent, task, traceId: trace } = call
    const isTrace = task === UNKNOWN
    const held = isTrace ? null : (holder?.run ?? null)
    if (held && !held.isGone && held.tenant === tenant) return held
    const name = isTrace ? trace : task
    const run = this.#find(tenant, agent, name, isTrace) ?? this.#make(call, name, isTrace)
    if (holder && !isTrace) holder.run = run
    return run
  }

  #make(call: UsageEvent, name: string, isTrace: boolean): Run {
    const { tenant, agent, taskType, traceId: trace } = call
    const key = [tenant, agent, isTrace ? 'trace' : 'task', name].join(SEPARATOR)
    const model = call.originalModel ?? call.requestModel
    const names = { tenant, run: name, isTrace, agent, taskType, model, trace }
    const run = beginRun(key, this.#runs.nextUse(), names)
    this.#runs.add(run)
    run.group = this.#byName.add(name, run)
    const oldest = this.#runs.size > this.#maxRuns ? this.#runs.oldest() : null
    if (oldest) {
      this.#delete(oldest)
      this.evicted++
    }
    return run
  }

  #delete(run: Run): void {
    this.#runs.delete(run)
    this.#byName.delete(run.run, run)
    this.#ending.delete(run)
  }

  /** A run keeps the measure that it began with, so that limits do not jump about under it. */
  #measureOf(run: Run): Measure | null {
    const kept = run.measure === null ? null : this.#baselines.measureAt(run.measure)
    if (kept) return kept
    const measure = this.#baselines.measureFor(run.agent, run.taskType, run.model)
    run.measure = measure && measure.key
    return measure
  }

  #judgeRepetition(
    run: Run,
    call: UsageEvent,
    tokens: number,
    measure: Measure | null,
    detections: Detection[],
  ): void {
    if (call.toolResultKeys.length === 0) return
    const repetition = (run.repetition ??= noRepetition())
    const found = addTurn(repetition, call.toolCallKeys, call.toolResultKeys, tokens)
    if (!found || found.levels <= run.repetitionTold) return
    const usual = measure && medianTotal(measure.baseline)
    const levels = levelsByCost(found.levels, repetition.repeatedTokens, usual)
    if (levels <= run.repetitionTold) return
    noteAlarms(run, 'repetition', run.repetitionTold, levels)
    run.repetitionTold = levels
    detections.push(detectionOf(run, 'repetition', levels, found.evidence, measure))
  }

  #judgeBloat(run: Run, measure: Measure | null, detections: Detection[]): void {
    const { levels, evidence } = bloatOf(run, measure)
    if (levels <= run.bloatTold || !evidence) return
    noteAlarms(run, 'bloat', run.bloatTold, levels)
    run.bloatTold = levels
    detections.push(detectionOf(run, 'bloat', levels, [evidence], measure))
  }

  /** @param agent whose run it is; those of all agents where it is unknown */
  end(tenant: string, agent: string, task: string, ending: Ending, endsMs: number): void {
    for (const run of [...(this.#byName.get(task) ?? NO_RUNS)].sort(byKey)) {
      const isMeant = agent === UNKNOWN || run.agent === agent
      if (!isMeant || run.isTrace || run.tenant !== tenant || run.endsMs !== null) continue
      run.endsMs = endsMs
      run.ending = ending
      this.#ending.add(run)
      this.#runs.use(run)
    }
  }

  advance(timeMs: number): RunEnd[] {
    const ends: RunEnd[] = []
    for (const run of this.#endedBy(timeMs)) this.#finish(run, run.ending, ends)
    for (let count = 0; count < MAX_SILENT; count++) {
      const run = this.#runs.oldest()
      if (!run || run.lastMs + SILENT_MS > timeMs) break
      const wasStopped = toldOf(run) >= STOPPING_LEVELS
      this.#finish(run, run.endsMs === null && wasStopped ? 'stopped' : run.ending, ends)
    }
    return ends
  }

  /** Told of in the order of their ends, and of their keys where those are the same, also after a restart. */
  #endedBy(timeMs: number): Run[] {
    const ended: Run[] = []
    for (const run of this.#ending) {
      if (run.endsMs === null || run.endsMs > timeMs) break
      ended.push(run)
    }
    return ended.sort(byEnd)
  }

  #finish(run: Run, ending: Ending, ends: RunEnd[]): void {
    const { agent, taskType, model, path, steps, tokens, alarms } = run
    if (ending !== 'cancelled') {
      const stoppedAt = ending === 'stopped' ? run.bloatTold : null
      const task = { path, steps, contextSlope: contextSlope(run), stoppedAt }
      this.#baselines.learn(agent, taskType, model, task)
    }
    if (alarms.length > 0) {
      ends.push({ run: run.run, agent, trace: run.trace, steps, tokens, ending, alarms })
    }
    this.#delete(run)
  }

  dueMs(): number {
    const [ending] = this.#ending
    const oldest = this.#runs.oldest()
    return Math.min(ending?.endsMs ?? Infinity, oldest ? oldest.lastMs + SILENT_MS : Infinity)
  }

  takeChanges(): StateChange[] {
    return [...this.#runs.takeChanges(), ...this.#baselines.takeChanges()]
  }

  restore(of: (prefix: string) => readonly StateRecord[]): void {
    this.#runs.restore(of(this.#runs.prefix))
    this.#baselines.restore(of(this.#baselines.prefix))
    const ending = [...this.#runs.values()].filter(({ endsMs }) => endsMs !== null)
    for (const run of ending.sort(byEnd)) this.#ending.add(run)
    // As they were made, since that is the order in which they came to be of one name.
    for (const run of [...this.#runs.values()].sort((a, b) => a.order - b.order)) {
      run.group = this.#byName.add(run.run, run)
    }
  }
}

function runCodec(): Codec<Run> {
  const plain = plainCodec<Run>()
  return {
    encode: (run) => plain.encode({ ...run, group: null }),
    decode: plain.decode,
  }
}

const toldOf = ({ repetitionTold, bloatTold }: Run) => Math.max(repetitionTold, bloatTold)

const byKey = (a: Run, b: Run) => (a.key < b.key ? -1 : 1)
const byEnd = (a: Run, b: Run) => (a.endsMs ?? 0) - (b.endsMs ?? 0) || byKey(a, b)

/** A level that is skipped counts as reached, too. */
function noteAlarms(run: Run, kind: Kind, told: number, levels: number): void {
  const { steps: step, tokens } = run
  const alarms = LEVELS.slice(told, levels).map((level) => ({ kind, level, step, tokens }))
  run.alarms = [...run.alarms, ...alarms]
}

function detectionOf(
  run: Run,
  kind: Kind,
  levels: number,
  evidence: readonly Evidence[],
  measure: Measure | null,
): Detection {
  const baseline = measure?.baseline ?? null
  return {
    kind,
    level: LEVELS[levels - 1] ?? 'notice',
    run: run.run,
    agent: run.agent,
    trace: run.trace,
    step: run.steps,
    tokens: run.tokens,
    evidence,
    basis: measure
      ? { of: measure.of, finished: measure.baseline.tasks }
      : { of: 'nothing', finished: 0 },
    figures: {
      medianTokens: baseline && medianAfter(baseline, run.steps),
      contextSlope: contextSlope(run),
      medianContextSlope: baseline && medianSlope(baseline),
      nextStepsTokens: tokensOfNext(run, STEPS_AHEAD),
      repeatedTokens: run.repetition?.repeatedTokens ?? 0,
    },
    savesTokens: baseline && tokensOfNext(run, stepsToCome(baseline, run.steps)),
  }
}
