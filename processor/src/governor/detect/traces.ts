import type { UsageEvent } from '@tokenfuse/protocol'
import { plainCodec, type StateChange, type StateRecord } from '../table.ts'
import type { Detection, RunEnd } from './detection.ts'
import { type FanOut, FanOutBaselines } from './fan-out.ts'
import { LEVELS } from './levels.ts'
import { ListMap } from './list-map.ts'
import { RecentTable } from './recent-table.ts'
import { addCall, beginTree, childrenOf, type TraceTree, type TreeCall } from './trace-tree.ts'

/** A trace that says nothing for so long is over. */
const SILENT_MS = 3_600_000
const MAX_TRACES = 50_000
/** Silent traces that are ended at once. */
const MAX_SILENT = 2000
const STOPPING_LEVELS = 3
const UNKNOWN = 'unknown'
const SEPARATOR = '\u0000'
const NO_TREES: readonly TraceTree[] = []

/** The traces that are under way, each held against the finished ones of its root agent. */
export class Traces {
  readonly #trees = new RecentTable<TraceTree>('trace', plainCodec())
  readonly #baselines = new FanOutBaselines()
  readonly #byTrace = new ListMap<TraceTree>()
  readonly #maxTraces: number
  evicted = 0

  constructor(maxTraces = MAX_TRACES) {
    this.#maxTraces = maxTraces
  }

  get evictedBaselines(): number {
    return this.#baselines.evicted
  }

  /** The tree that a call belongs to; most calls are the only ones of their trace and have none. */
  find({ tenant, traceId, task }: UsageEvent): TraceTree | null {
    for (const tree of this.#byTrace.get(traceId) ?? NO_TREES) {
      if (tree.task === task && tree.tenant === tenant) return tree
    }
    return null
  }

  /** Begins the tree of a trace with its first call. */
  begin({ tenant, traceId, task }: UsageEvent, rootAgent: string, first: TreeCall): TraceTree {
    const tree = this.#make({ tenant, trace: traceId, task, rootAgent })
    addCall(tree, first)
    return tree
  }

  observe(tree: TraceTree, call: TreeCall, timeMs: number, detections: Detection[]): void {
    tree.lastMs = Math.max(tree.lastMs, timeMs)
    addCall(tree, call)
    this.#trees.use(tree)
    if (childrenOf(tree) === 0 && tree.depth === 0) return
    const fanOut = this.#baselines.judge(tree)
    if (fanOut.levels <= tree.told) return
    for (const level of LEVELS.slice(tree.told, fanOut.levels)) {
      tree.alarms.push({ kind: 'fan-out', level, step: tree.calls, tokens: tree.tokens })
    }
    tree.told = fanOut.levels
    detections.push(detectionOf(tree, fanOut))
  }

  #make(names: Pick<TraceTree, 'tenant' | 'trace' | 'task' | 'rootAgent'>): TraceTree {
    const { tenant, trace, task } = names
    const key = [tenant, trace, task].join(SEPARATOR)
    const tree = beginTree(key, this.#trees.nextUse(), names)
    this.#trees.add(tree)
    this.#byTrace.add(trace, tree)
    const oldest = this.#trees.size > this.#maxTraces ? this.#trees.oldest() : null
    if (oldest) {
      this.#delete(oldest)
      this.evicted++
    }
    return tree
  }

  #delete(tree: TraceTree): void {
    this.#trees.delete(tree)
    this.#byTrace.delete(tree.trace, tree)
  }

  advance(timeMs: number): RunEnd[] {
    const ends: RunEnd[] = []
    for (let count = 0; count < MAX_SILENT; count++) {
      const tree = this.#trees.oldest()
      if (!tree || tree.lastMs + SILENT_MS > timeMs) break
      const { rootAgent: agent, trace, calls: steps, tokens, alarms } = tree
      const run = rootRun(tree)
      const ending = tree.told >= STOPPING_LEVELS ? 'stopped' : 'completed'
      if (ending === 'completed') this.#baselines.learn(tree)
      if (alarms.length > 0) ends.push({ run, agent, trace, steps, tokens, ending, alarms })
      this.#delete(tree)
    }
    return ends
  }

  dueMs(): number {
    const oldest = this.#trees.oldest()
    return oldest ? oldest.lastMs + SILENT_MS : Infinity
  }

  takeChanges(): StateChange[] {
    return [...this.#trees.takeChanges(), ...this.#baselines.takeChanges()]
  }

  restore(of: (prefix: string) => readonly StateRecord[]): void {
    this.#trees.restore(of(this.#trees.prefix))
    for (const tree of this.#trees.values()) this.#byTrace.add(tree.trace, tree)
    this.#baselines.restore(of(this.#baselines.prefix))
  }
}

const rootRun = ({ task, trace }: TraceTree): string => (task === UNKNOWN ? trace : task)

function detectionOf(
  tree: TraceTree,
  { levels, evidence, basis, medianTokens }: FanOut,
): Detection {
  return {
    kind: 'fan-out',
    level: LEVELS[levels - 1] ?? 'notice',
    run: rootRun(tree),
    agent: tree.rootAgent,
    trace: tree.trace,
    step: tree.calls,
    tokens: tree.tokens,
    evidence,
    basis,
    figures: {
      medianTokens,
      contextSlope: null,
      medianContextSlope: null,
      nextStepsTokens: null,
      repeatedTokens: 0,
    },
    savesTokens: null,
  }
}
