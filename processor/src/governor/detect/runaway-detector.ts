import type { UsageEvent } from '@tokenfuse/protocol'
import type { StateChange, StateRecord } from '../table.ts'
import type { Detection, Ending, RunEnd } from './detection.ts'
import { lastCallOf, type Run } from './run.ts'
import { type RunHolder, Runs } from './runs.ts'
import type { TraceTree } from './trace-tree.ts'
import { Traces } from './traces.ts'

/** Events of a task may still come for so long after the app said that it has ended. */
const GRACE_MS = 120_000

/**
 * Finds runaways among runs: the same call with the same result again and again, tasks that outgrow their likes, and
 * trees of sub-agents. Fed with every counted call, in the order of the log; what it learns from it learns of runs that
 * are over. Its state is bounded, and depends on nothing but what it was fed.
 */
export class RunawayDetector {
  readonly #runs: Runs
  readonly #traces: Traces

  /** @param bounds how much is remembered at most; beyond it what was unused longest goes first */
  constructor(bounds: { maxRuns?: number; maxTraces?: number; maxBaselines?: number } = {}) {
    this.#runs = new Runs(bounds.maxRuns, bounds.maxBaselines)
    this.#traces = new Traces(bounds.maxTraces)
  }

  /**
   * Takes a call in. It has to be a counted one: no duplicate, and none that the guard refused.
   * @param timeMs log time
   * @param holder remembers the run for the next call of the same agent and task
   * @returns what has gone further than any level told of before; mostly nothing
   */
  observe(call: UsageEvent, timeMs: number, holder: RunHolder | null = null): Detection[] {
    const detections: Detection[] = []
    const run = this.#runs.runFor(call, holder)
    const tree = this.#traces.find(call) ?? this.#treeFrom(call, this.#runs.lastOfTrace(run, call))
    this.#runs.observe(run, call, timeMs, detections)
    if (tree) this.#traces.observe(tree, lastCallOf(run), timeMs, detections)
    return detections
  }

  /** Most calls are the only ones of their trace: a tree begins with the second. */
  #treeFrom(call: UsageEvent, first: Run | null): TraceTree | null {
    return first && this.#traces.begin(call, first.agent, lastCallOf(first))
  }

  /**
   * A task is over. It is learned from in a later `advance`, when its last calls have come.
   * @param ending as the app says, or `stopped` where a decision on a detection ended it
   */
  endTask(tenant: string, agent: string, task: string, ending: Ending, timeMs: number): void {
    this.#runs.end(tenant, agent, task, ending, timeMs + GRACE_MS)
  }

  /**
   * Ends the runs whose time is up and those that have been silent for an hour, and learns from them.
   * @returns those of them that were told of
   */
  advance(timeMs: number): RunEnd[] {
    return [...this.#runs.advance(timeMs), ...this.#traces.advance(timeMs)]
  }

  /** Runs of an agent that are under way, those that spent the most first. */
  runsOf(agent: string, count: number): Run[] {
    return this.#runs.ofAgent(agent, count)
  }

  /** Log time from which on `advance` would do something, or `null`. */
  dueMs(): number | null {
    const due = Math.min(this.#runs.dueMs(), this.#traces.dueMs())
    return due === Infinity ? null : due
  }

  /** Runs, traces and baselines that had to go before their time. */
  get evicted(): { readonly runs: number; readonly traces: number; readonly baselines: number } {
    return {
      runs: this.#runs.evicted,
      traces: this.#traces.evicted,
      baselines: this.#runs.evictedBaselines + this.#traces.evictedBaselines,
    }
  }

  takeChanges(): StateChange[] {
    return [...this.#runs.takeChanges(), ...this.#traces.takeChanges()]
  }

  /** Fills an empty detector from what `takeChanges` gave. @param of the records whose keys begin with a prefix */
  restore(of: (prefix: string) => readonly StateRecord[]): void {
    this.#runs.restore(of)
    this.#traces.restore(of)
  }
}
