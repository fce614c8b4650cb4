import type { DetectionStatus } from '@tokenfuse/protocol'
import { isoFromMs } from '../iso-time.ts'
import { NEW_ROW, plainCodec, type StateChange, type StateRecord, Table } from '../table.ts'
import { type AlertFacts, alertKey, type AlertRow, runKey } from './alert.ts'
import { KINDS } from './levels.ts'

/** So many are remembered, open or over; the oldest one that is over goes first. */
const MAX_ALERTS = 1000
/** A decision on an alert ends after this, unless the alert rises. */
export const ALERT_HOLDS_MS = 86_400_000

/** The runaways and spikes of now and of late. */
export class Alerts {
  readonly #rows = new Table<AlertRow>('alert', plainCodec())
  readonly #open = new Map<string, AlertRow>()
  readonly #nextOrder: () => number
  readonly #maxAlerts: number
  evicted = 0

  constructor(nextOrder: () => number, maxAlerts = MAX_ALERTS) {
    this.#nextOrder = nextOrder
    this.#maxAlerts = maxAlerts
  }

  get prefix(): string {
    return this.#rows.prefix
  }

  /** The open alert of the same thing. */
  find(key: string): AlertRow | undefined {
    return this.#open.get(key)
  }

  begin(id: string, tenant: string, facts: AlertFacts, logTimeMs: number): AlertRow {
    const row: AlertRow = {
      key: id,
      order: this.#nextOrder(),
      tenant,
      fromMs: logTimeMs,
      facts,
      firstTokens: facts.tokens,
      action: 'none',
      decisionId: null,
      decision: null,
      holdsUntilMs: logTimeMs + ALERT_HOLDS_MS,
      untilMs: null,
      isLifted: this.#isRunLifted(facts.run),
      wouldHaveSavedTokens: null,
      ...NEW_ROW,
    }
    this.#rows.set(row)
    this.#open.set(alertKey(facts), row)
    return row
  }

  /** Whether an operator has let go of what else was told of the same run. */
  #isRunLifted(run: AlertFacts['run']): boolean {
    if (run === null) return false
    return KINDS.some((kind) => this.find(runKey(kind, run.agent, run.name))?.isLifted)
  }

  /** The one that has to go for want of room, or `null`. Its decision has to be ended. */
  surplus(): AlertRow | null {
    if (this.#rows.size <= this.#maxAlerts) return null
    for (const row of this.#rows.values()) if (row.untilMs !== null && !row.decision) return row
    return this.#rows.oldest() ?? null
  }

  evict(row: AlertRow): void {
    this.#close(row)
    this.#rows.delete(row)
    this.evicted++
  }

  rise(row: AlertRow, facts: AlertFacts, logTimeMs: number): void {
    row.facts = facts
    row.holdsUntilMs = logTimeMs + ALERT_HOLDS_MS
    this.#rows.touch(row)
  }

  /** It is over; a decision on it may hold on. */
  end(row: AlertRow, logTimeMs: number, tokens: number | null): void {
    row.untilMs = logTimeMs
    row.wouldHaveSavedTokens = tokens === null ? null : Math.max(0, tokens - row.firstTokens)
    this.#close(row)
    this.#rows.touch(row)
  }

  touch(row: AlertRow): void {
    this.#rows.touch(row)
  }

  #close(row: AlertRow): void {
    const key = alertKey(row.facts)
    if (this.#open.get(key) === row) this.#open.delete(key)
  }

  /** Those that are not over or on which a decision is in force, in the order in which they began. */
  inForce(): AlertRow[] {
    return [...this.#rows.values()].filter(({ untilMs, decision }) => untilMs === null || decision)
  }

  /** When the next decision or alert ends by itself; infinite for never. */
  dueMs(): number {
    let due = Infinity
    for (const { untilMs, decision, holdsUntilMs } of this.#rows.values()) {
      if (untilMs === null || decision) due = Math.min(due, holdsUntilMs)
    }
    return due
  }

  /** The newest first. */
  statuses(): DetectionStatus[] {
    return [...this.#rows.values()].map(statusOf).reverse()
  }

  status(row: AlertRow): DetectionStatus {
    return statusOf(row)
  }

  takeChanges(): StateChange[] {
    return this.#rows.takeChanges()
  }

  restore(records: readonly StateRecord[]): void {
    this.#rows.restore(records)
    for (const row of this.#rows.values()) {
      if (row.untilMs === null) this.#open.set(alertKey(row.facts), row)
    }
  }
}

export function statusOf(row: AlertRow): DetectionStatus {
  const { kind, level, scope, run, reason, evidence, tokens, savesTokens } = row.facts
  return {
    id: row.key,
    kind,
    level,
    scope,
    run: run && { agent: run.agent, task: run.task, trace: run.trace, step: run.step },
    from: isoFromMs(row.fromMs),
    until: row.untilMs === null ? null : isoFromMs(row.untilMs),
    reason,
    evidence,
    tokens,
    savesTokens,
    wouldHaveSavedTokens: row.wouldHaveSavedTokens,
    action: row.action,
    decision: row.decisionId,
  }
}
