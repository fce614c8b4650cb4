import type {
  Account,
  AgentReport,
  BudgetForecast,
  BudgetStatus,
  CallProfile,
  Decision,
  DetectionStatus,
  LogEntry,
  LogEvent,
  OutputQuantiles,
  Policy,
  Rule,
  RuleStatus,
  TaskCostsAnswer,
  TaskCostsBy,
  Tick,
  UsageAnswer,
  UsageTotals,
} from '@tokenfuse/protocol'
import { accountFor, applyCreditReport } from './apply-credit.ts'
import { applyOverrideSet, applyPolicySet } from './apply-policy.ts'
import { applyTick, tickDueMs } from './apply-tick.ts'
import { applyUsage } from './apply-usage.ts'
import { endTask } from './detect/apply-detections.ts'
import type { Effect } from './effect.ts'
import { applyDecisionLift } from './lift-decision.ts'
import {
  budgetForecasts,
  type ForecastErrors,
  forecastErrors,
  type ForecastQuery,
} from './forecast/budget-forecasts.ts'
import { agentReport } from './rules/agent-report.ts'
import { ruleStatuses } from './rules/rule-status.ts'
import { hashText } from './state-hash.ts'
import { budgetStatuses } from './status.ts'
import { GovernorState } from './state.ts'
import type { StateChange } from './table.ts'
import { taskCosts } from './task-costs.ts'
import { type UsageQuery, queryUsage } from './usage-query.ts'
import { dayName, windowAt } from './windows.ts'

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
  readonly #hashes = new Int32Array(REMEMBERED_HASHES)
  #firstHashed = 1

  /** @param records what `changes` gave, the newest value of each key */
  static restore(records: Iterable<readonly [key: string, value: string]>): Governor {
    const governor = new Governor()
    governor.#state.restore(records)
    governor.#rememberHash()
    governor.#firstHashed = governor.offset
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
    this.#dispatch(entry.event, effects)
    this.#rememberHash()
    return effects
  }

  #dispatch(event: LogEvent, effects: Effect[]): void {
    switch (event.type) {
      case 'usage':
        return applyUsage(this.#state, event, effects)
      case 'credit.report':
        return applyCreditReport(this.#state, event, effects)
      case 'policy.set':
        return applyPolicySet(this.#state, event, effects)
      case 'override.set':
        return applyOverrideSet(this.#state, event, effects)
      case 'decision.lift':
        return applyDecisionLift(this.#state, event, effects)
      case 'task.end':
        this.#state.taskEnds.end(event)
        return endTask(this.#state, event)
      case 'tick':
        this.#compareHash(event, effects)
        return applyTick(this.#state, effects)
    }
  }

  #rememberHash(): void {
    this.#hashes[this.#state.offset % REMEMBERED_HASHES] = this.#state.hash.number
  }

  #compareHash(tick: Tick, effects: Effect[]): void {
    const { governorVersion, stateHash, stateOffset } = tick
    const isRemembered =
      stateOffset >= this.#firstHashed &&
      stateOffset < this.offset &&
      stateOffset > this.offset - REMEMBERED_HASHES
    if (governorVersion !== GOVERNOR_VERSION || stateHash === null || !isRemembered) return
    const found = hashText(this.#hashes[stateOffset % REMEMBERED_HASHES] ?? 0)
    if (found === stateHash) return
    effects.push({ type: 'diverged', offset: stateOffset, expected: stateHash, found })
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

  /** Those of the policy in force, as they were written. */
  rules(): readonly Rule[] {
    return this.#state.policy?.event.rules ?? []
  }

  /** What an agent does; `null` where nothing of it was ever counted. */
  agentReport(agent: string): AgentReport | null {
    return agentReport(this.#state, agent, this.decisions())
  }

  ruleStatuses(): RuleStatus[] {
    return ruleStatuses(this.#state)
  }

  inactiveBudgets(): readonly { readonly budget: string; readonly reason: string }[] {
    return this.#state.policy?.inactive ?? []
  }

  /** Decisions in force. */
  decisions(): Decision[] {
    const { counters, forecastDecisions, detectors, rules } = this.#state
    const ofForecasts = forecastDecisions.inForce()
    const rows = [
      ...counters.decided(),
      ...ofForecasts,
      ...detectors.alerts.inForce(),
      ...[...rules.held()].filter(({ isLifted }) => !isLifted),
    ]
    return rows.flatMap(({ decision }) => decision ?? [])
  }

  /** A decision of the past, among the latest 10,000. */
  decision(id: string): Decision | null {
    return this.#state.decisions.get(id)?.decision ?? null
  }

  /** @returns null where usage is not kept by this combination of dimensions */
  usage(query: UsageQuery): UsageAnswer | null {
    return queryUsage(this.#state.ledger, query, this.#state.offset)
  }

  /** What ended tasks cost, by agent, task type or both. */
  taskCosts(by: readonly TaskCostsBy[], top: number): TaskCostsAnswer {
    return taskCosts(this.#state.taskEnds, by, top, this.#state.offset)
  }

  /** The day, such as `2026-01-31`, that a time falls on in the policy's time zone. */
  dayAt(timeMs: number): string {
    return dayName(timeMs, this.#state.zone)
  }

  total(): UsageTotals {
    return this.#state.ledger.total()
  }

  /** How full each budget is, the fullest first. */
  budgets(): BudgetStatus[] {
    return budgetStatuses(this.#state)
  }

  /** What the calendar windows of now come to. Takes 0.1 to 0.4 ms for each counter that is asked for. */
  forecasts(query: ForecastQuery = {}): BudgetForecast[] {
    return budgetForecasts(this.#state, query)
  }

  /** How the forecasts of each budget did. */
  forecastErrors(): ForecastErrors[] {
    return forecastErrors(this.#state)
  }

  /** Runaways and spikes of now and of late, the newest first. */
  detections(): DetectionStatus[] {
    return this.#state.detectors.alerts.statuses()
  }

  guardCount(): number {
    return this.#state.guards.size
  }

  /** Rows that left bounded tables, by table. */
  evictions(): Readonly<Record<string, number>> {
    const {
      ledger,
      lengths,
      counters,
      rolling,
      spans,
      responses,
      estimated,
      forecasts,
      detectors,
      rules,
    } = this.#state
    const { runaways, spikes, alerts } = detectors
    return {
      usage: ledger.evicted,
      taskCosts: this.#state.taskEnds.evicted,
      lengths: lengths.evicted,
      counters: counters.evicted,
      steps: counters.steps.forgotten,
      rolling: rolling.merged,
      forecasts: forecasts.refused,
      runs: runaways.evicted.runs,
      traces: runaways.evicted.traces,
      taskBaselines: runaways.evicted.baselines,
      spikeScopes: spikes.evicted,
      alerts: alerts.evicted,
      rules: rules.evicted,
      ids: spans.evicted + responses.evicted,
      estimated: estimated.evicted,
    }
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
    const { policy, counters, logTimeMs, zone } = this.#state
    return names.flatMap(({ budget: id, scope, windowFromMs }) => {
      const budget = policy?.byId.get(id)
      if (!budget) return []
      const fromMs = windowFromMs ?? windowAt(budget.window, logTimeMs, zone).fromMs
      const counter = counters.get({ budget: id, scope, fromMs })
      return (counter && accountFor(counter, budget, guard)) ?? []
    })
  }
}
