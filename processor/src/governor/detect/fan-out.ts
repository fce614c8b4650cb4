import { NEW_ROW, plainCodec, type StateChange, type StateRecord } from '../table.ts'
import type { Basis, Evidence, EvidenceRule } from './detection.ts'
import { levelsReached, type PerLevel } from './levels.ts'
import { NO_LINKS, type RecentRow, RecentTable } from './recent-table.ts'
import { addTo, emptySketch, halve, quantile, type Sketch } from './sketch.ts'
import { childrenOf, type TraceTree } from './trace-tree.ts'

/** Fewer finished traces than this say nothing of a 95th percentile. */
const MIN_TRACES = 20
const MEMORY_TRACES = 1024
const MAX_ROOTS = 4096

/** Where the root's own traces say nothing. */
const CHILDREN_WITHOUT_BASELINE: PerLevel = [20, 50, 100, 200]
const TOKENS_WITHOUT_BASELINE: PerLevel = [2_000_000, 5_000_000, 15_000_000, Infinity]
/** Never fewer than this, and so many times the 95th percentile of the root's finished traces. */
const CHILDREN_AT_LEAST: PerLevel = [10, 20, 40, 80]
const CHILDREN_TIMES: PerLevel = [2, 4, 8, 16]
const TOKENS_TIMES: PerLevel = [2, 4, 8, 16]
/** Agents that call agents that call agents: none of it is deep by need. */
const DEPTH: PerLevel = [4, 6, 8, 12]

type RootRow = RecentRow & { readonly children: Sketch; readonly tokens: Sketch; traces: number }

export type FanOut = {
  readonly levels: number
  readonly evidence: readonly Evidence[]
  readonly basis: Basis
  readonly medianTokens: number | null
}

/** How large the traces are that an agent is the root of, and whether one outgrows them. */
export class FanOutBaselines {
  readonly #roots = new RecentTable<RootRow>('fan-out-baseline', plainCodec())
  evicted = 0

  get prefix(): string {
    return this.#roots.prefix
  }

  judge(tree: TraceTree): FanOut {
    const root = this.#roots.get(tree.rootAgent)
    const known = root && root.traces >= MIN_TRACES ? root : null
    const evidence: Evidence[] = []
    let levels = 0
    const judge = (rule: EvidenceRule, value: number, limits: PerLevel) => {
      const reached = levelsReached(value, limits)
      if (reached === 0) return
      levels = Math.max(levels, reached)
      evidence.push({ rule, value, limit: limits[reached - 1] ?? 0 })
    }
    const usualChildren = known && quantile(known.children, 0.95)
    const usualTokens = known && quantile(known.tokens, 0.95)
    judge('children', childrenOf(tree), childrenLimits(usualChildren))
    judge('depth', tree.depth, DEPTH)
    // A trace without sub-agents is judged as the run that it is.
    if (childrenOf(tree) > 0) judge('trace_tokens', tree.tokens, tokensLimits(usualTokens))
    const basis: Basis = { of: known ? 'agent' : 'nothing', finished: known?.traces ?? 0 }
    const medianTokens = known && quantile(known.tokens, 0.5)
    return { levels, evidence, basis, medianTokens: medianTokens && Math.round(medianTokens) }
  }

  /** Learns from a trace that is over and was not stopped. */
  learn(tree: TraceTree): void {
    const root = this.#roots.get(tree.rootAgent) ?? this.#make(tree.rootAgent)
    addTo(root.children, childrenOf(tree))
    addTo(root.tokens, tree.tokens)
    root.traces++
    if (root.traces >= MEMORY_TRACES) {
      halve(root.children)
      halve(root.tokens)
      root.traces = Math.floor(root.traces / 2)
    }
    this.#roots.use(root)
  }

  #make(key: string): RootRow {
    const use = this.#roots.nextUse()
    const root: RootRow = {
      key,
      order: use,
      lastUse: use,
      children: emptySketch(),
      tokens: emptySketch(),
      traces: 0,
      ...NEW_ROW,
      ...NO_LINKS,
    }
    this.#roots.add(root)
    const oldest = this.#roots.size > MAX_ROOTS ? this.#roots.oldest() : null
    if (oldest) {
      this.#roots.delete(oldest)
      this.evicted++
    }
    return root
  }

  takeChanges(): StateChange[] {
    return this.#roots.takeChanges()
  }

  restore(records: readonly StateRecord[]): void {
    this.#roots.restore(records)
  }
}

function childrenLimits(usual: number | null): PerLevel {
  if (usual === null) return CHILDREN_WITHOUT_BASELINE
  return limitsFrom((level) =>
    Math.max(CHILDREN_AT_LEAST[level] ?? 0, Math.ceil(usual * (CHILDREN_TIMES[level] ?? 1))),
  )
}

function tokensLimits(usual: number | null): PerLevel {
  if (usual === null) return TOKENS_WITHOUT_BASELINE
  return limitsFrom((level) => Math.ceil(usual * (TOKENS_TIMES[level] ?? 1)))
}

const limitsFrom = (limit: (level: number) => number): PerLevel => [
  limit(0),
  limit(1),
  limit(2),
  limit(3),
]
