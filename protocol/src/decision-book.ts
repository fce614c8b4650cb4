import type { Action, Decision } from './decision.ts'
import { decisionKey } from './decision-key.ts'
import {
  type Dimension,
  type DimensionValues,
  lineage,
  matchesScope,
  parseScopeKey,
  scopeKey,
} from './scope.ts'
import type { StreamBudget, StreamMessage } from './stream.ts'
import type { Criticality } from './usage-part.ts'

const DECISIONS_MAX = 10_000

/** How far an action goes; of several decisions for one call, the one that goes furthest is followed. */
const SEVERITY: Readonly<Record<Action, number>> = {
  allow: 0,
  warn: 1,
  cap_output: 2,
  compress: 3,
  downgrade: 4,
  throttle: 5,
  pause: 6,
  block: 7,
  kill: 8,
}

type Entry = {
  readonly decision: Decision
  readonly dimensions: string
  /** On a clock that only goes forward. */
  readonly endsAtMs: number
}

/** A call as it is looked at: `forCaller` as one of somebody that its agent works for. */
type LookedAt = {
  readonly values: DimensionValues
  readonly forCaller: boolean
  readonly criticality: Criticality
}

/** Decisions over the same dimensions, found by the scope they are for. */
type Group = { readonly per: readonly Dimension[]; readonly byScope: Map<string, Set<Entry>> }

/**
 * The decisions in force, as the governor's stream tells them. A lookup costs one map access for each combination of
 * dimensions that budgets count over, however many decisions there are.
 */
export class DecisionBook {
  readonly #entries = new Map<string, Entry>()
  readonly #groups = new Map<string, Group>()
  #budgets: ReadonlyMap<string, StreamBudget> = new Map()
  /** Decisions that found no room; they are not followed. */
  #overflowCount = 0

  get size(): number {
    return this.#entries.size
  }

  get overflowCount(): number {
    return this.#overflowCount
  }

  /** `nowMs` is of a clock that only goes forward. A wrong wall clock on this machine must neither prolong nor end a decision. */
  apply(message: StreamMessage, nowMs: number): void {
    if (message.type === 'policy') {
      this.#budgets = new Map(message.budgets.map((budget) => [budget.id, budget]))
    } else if (message.type === 'decisions') {
      this.#entries.clear()
      this.#groups.clear()
      for (const decision of message.decisions) this.#put(decision, nowMs)
    } else if (message.type === 'decision') {
      this.#put(message.decision, nowMs)
    }
  }

  /** The severest decision in force for a call, or `null`. */
  find(
    values: DimensionValues,
    nowMs: number,
    criticality: Criticality = 'normal',
  ): Decision | null {
    let found: Decision | null = null
    for (const each of lineage(values)) {
      const call = { values: each, forCaller: each !== values, criticality }
      found = this.#severest(call, found, nowMs)
    }
    return found
  }

  #severest(call: LookedAt, before: Decision | null, nowMs: number): Decision | null {
    let found = before
    for (const { per, byScope } of this.#groups.values()) {
      for (const entry of byScope.get(scopeKey(per, call.values)) ?? []) {
        if (nowMs >= entry.endsAtMs) {
          this.#remove(decisionKey(entry.decision))
          continue
        }
        if (!this.#concerns(entry.decision, call)) continue
        if (found === null || SEVERITY[entry.decision.action] > SEVERITY[found.action]) {
          found = entry.decision
        }
      }
    }
    return found
  }

  /** A scope names only what its budget counts apart by; which calls the budget is for at all, the policy says. */
  #concerns(decision: Decision, { values, forCaller, criticality }: LookedAt): boolean {
    if (decision.mode !== 'enforce' || decision.tenant !== values.tenant) return false
    // One of another version of the governor may have no parameters.
    if (decision.parameters?.['exceptCriticality'] === criticality) return false
    const budget = decision.budget === null ? undefined : this.#budgets.get(decision.budget)
    if (forCaller && !budget?.nested) return false
    return budget === undefined || matchesScope(budget.match, values)
  }

  #put(decision: Decision, nowMs: number): void {
    const key = decisionKey(decision)
    this.#remove(key)
    if (decision.action === 'allow') return
    if (this.#entries.size >= DECISIONS_MAX) {
      this.#overflowCount++
      return
    }
    const per = parseScopeKey(decision.scope).map(([dimension]) => dimension)
    const dimensions = per.join(',')
    const entry: Entry = { decision, dimensions, endsAtMs: nowMs + lifetimeMs(decision) }
    this.#entries.set(key, entry)
    let group = this.#groups.get(dimensions)
    if (group === undefined) this.#groups.set(dimensions, (group = { per, byScope: new Map() }))
    let scope = group.byScope.get(decision.scope)
    if (scope === undefined) group.byScope.set(decision.scope, (scope = new Set()))
    scope.add(entry)
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    const group = this.#groups.get(entry.dimensions)
    const scope = group?.byScope.get(entry.decision.scope)
    scope?.delete(entry)
    if (scope?.size === 0) group?.byScope.delete(entry.decision.scope)
    if (group?.byScope.size === 0) this.#groups.delete(entry.dimensions)
  }
}

/** Both ends are times of the governor's clock, so their difference holds on any clock. */
function lifetimeMs({ from, until }: Decision): number {
  if (until === null) return Infinity
  const lifetime = Date.parse(until) - Date.parse(from)
  return Number.isNaN(lifetime) ? Infinity : Math.max(0, lifetime)
}
