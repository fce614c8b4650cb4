import type {
  Account,
  BudgetStatus,
  CallProfile,
  Decision,
  LogEntry,
  OutputQuantiles,
  Policy,
  Tick,
  UsageAnswer,
  UsageTotals,
} from '@tokenfuse/protocol'
import { accountFor, applyCreditReport } from './apply-credit.ts'
import { applyOverrideSet, applyPolicySet } from './apply-policy.ts'
import { applyTick, tickDueMs } from './apply-tick.ts'
import { applyUsage } from './apply-usage.ts'
import { counterKey } from './counter.ts'
import { currentKey, zoneOf } from './counter-at.ts'
import type { Effect } from './effect.ts'
import { budgetStatuses } from './status.ts'
import { GovernorState } from './state.ts'
import type { StateChange } from './table.ts'
import type { UsageQuery } from './usage-ledger.ts'
import { dayName } from './windows.ts'

/** A replica that read the same log with another version may come to another state. */
export const GOVERNOR_VERSION = '1'

const REMEMBERED_HASHES = 1024

/**
 * A deterministic state machine: events of the log in, decisions and effects out. It reads no clock, does no I/O and
 * knows nothing but its log: the same entries give the same state, byte for byte.
 */
export class Governor {
  readonly #state = new GovernorState()
  /** Own hashes after recent offsets, to be compared with those that ticks carry. */
  readonly #hashes = new Map<number, string>()

  /** @param records what `changes` gave, the newest value of each key */
  static restore(records: Iterable<readonly [key: string, value: string]>): Governor {
    const governor = new Governor()
    governor.#state.restore([...records])
    return governor
  }

  /** Offset of the last entry applied; 0 before the first. */
  get offset(): number {
    return this.#state.offset
  }

  /** The greatest log time seen, ms since 1970. */
  get logTimeMs(): number {
    return this.#state.logTimeMs
  }

  get stateHash(): string {
    return this.#state.hash.value
  }

  /**
   * Applies the next entry of the log. An entry at or before `offset` was applied already and does nothing.
   * @returns what is to be told and counted, in order
   */
  apply(entry: LogEntry): Effect[] {
    const state = this.#state
    if (entry.offset <= state.offset) return []
    state.offset = entry.offset
    state.logTimeMs = Math.max(state.logTimeMs, entry.logTimeMs)
    const effects: Effect[] = []
    this.#dispatch({ ...entry, logTimeMs: state.logTimeMs }, effects)
    this.#rememberHash()
    return effects
  }

  #dispatch(entry: LogEntry, effects: Effect[]): void {
    const { event } = entry
    switch (event.type) {
      case 'usage':
        return applyUsage(this.#state, { ...entry, event }, effects)
      case 'credit.report':
        return applyCreditReport(this.#state, { ...entry, event }, effects)
      case 'policy.set':
        return applyPolicySet(this.#state, { ...entry, event }, effects)
      case 'override.set':
        return applyOverrideSet(this.#state, { ...entry, event }, effects)
      case 'task.end':
        return
      case 'tick':
        this.#compareHash(event, effects)
        return applyTick(this.#state, effects)
    }
  }

  #rememberHash(): void {
    this.#hashes.set(this.#state.offset, this.#state.hash.value)
    if (this.#hashes.size <= REMEMBERED_HASHES) return
    const oldest = this.#hashes.keys().next().value
    if (oldest !== undefined) this.#hashes.delete(oldest)
  }

  #compareHash(tick: Tick, effects: Effect[]): void {
    const found = this.#hashes.get(tick.stateOffset)
    if (tick.governorVersion !== GOVERNOR_VERSION || tick.stateHash === null || !found) return
    if (found === tick.stateHash) return
    effects.push({ type: 'diverged', offset: tick.stateOffset, expected: tick.stateHash, found })
  }

  /** What changed since the last call, for the snapshot; together with `offset` it is the whole state. */
  changes(): StateChange[] {
    return this.#state.takeChanges()
  }

  /** Log time from which on a tick would change something; `null` where nothing is due. */
  tickDueMs(): number | null {
    return tickDueMs(this.#state)
  }

  policy(): { readonly version: number; readonly policy: Policy } | null {
    const { policy } = this.#state
    return policy && { version: policy.version, policy: policy.event.policy }
  }

  inactiveBudgets(): readonly { readonly budget: string; readonly reason: string }[] {
    return this.#state.policy?.inactive ?? []
  }

  /** Decisions in force. */
  decisions(): Decision[] {
    return [...this.#state.decided].flatMap((key) => this.#state.counters.get(key)?.decision ?? [])
  }

  /** A decision of the past, among the latest 10,000. */
  decision(id: string): Decision | null {
    return this.#state.decisions.get(id)?.decision ?? null
  }

  /** @returns null where usage is not kept by this combination of dimensions */
  usage(query: UsageQuery): UsageAnswer | null {
    return this.#state.ledger.query(query, this.#state.offset)
  }

  /** The day, such as `2026-01-31`, that a time falls on in the policy's time zone. */
  dayAt(timeMs: number): string {
    return dayName(timeMs, zoneOf(this.#state))
  }

  total(): UsageTotals {
    return this.#state.ledger.total()
  }

  /** How full each budget is, the fullest first. */
  budgets(): BudgetStatus[] {
    return budgetStatuses(this.#state)
  }

  guardCount(): number {
    return this.#state.guards.size
  }

  /** Rows that left bounded tables, by table. */
  evictions(): Readonly<Record<string, number>> {
    const { ledger, lengths, evictedCounters } = this.#state
    return { usage: ledger.evicted, lengths: lengths.evicted, counters: evictedCounters }
  }

  /** How long answers of a kind of call are, as far as it is known. */
  outputQuantiles(profile: CallProfile): OutputQuantiles {
    return this.#state.lengths.quantiles(profile)
  }

  /**
   * How a guard's accounts stand. `windowFromMs` null asks for the window of now. What is not known is left out.
   */
  accounts(
    guard: string,
    names: readonly {
      readonly budget: string
      readonly scope: string
      readonly windowFromMs: number | null
    }[],
  ): Account[] {
    return names.flatMap(({ budget: id, scope, windowFromMs }) => {
      const budget = this.#state.policy?.byId.get(id)
      if (!budget) return []
      const counter =
        windowFromMs === null
          ? this.#state.counters.get(currentKey(this.#state, budget, scope))
          : this.#state.counters.get(counterKey({ budget: id, scope, fromMs: windowFromMs }))
      return (counter && accountFor(this.#state, counter, budget, guard)) ?? []
    })
  }
}
