import {
  type LogEntry,
  type LogEvent,
  type Policy,
  type PolicyInput,
  policySchema,
  zoneOffsets,
} from '@tokenfuse/protocol'
import type { Effect } from '../../../processor/src/governor/effect.ts'
import { Governor } from '../../../processor/src/governor/governor.ts'

/** A Monday noon. */
export const NOON_MS = Date.UTC(2026, 0, 5, 12)
export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** A governor, its log, and the clock of that log. */
export class Governing {
  governor = new Governor()
  readonly log: LogEntry[] = []
  nowMs: number

  constructor(nowMs = NOON_MS) {
    this.nowMs = nowMs
  }

  apply(event: LogEvent, logTimeMs = this.nowMs): Effect[] {
    const entry = { offset: this.log.length + 1, logTimeMs, event }
    this.log.push(entry)
    return this.governor.apply(entry)
  }

  /** Brings a policy into force, made from the one that is. */
  setPolicy(policy: Omit<PolicyInput, 'version'>): Effect[] {
    const basedOn = this.governor.policy()?.version ?? null
    return this.apply(policySet(policySchema.parse({ version: 1, ...policy }), basedOn, this.nowMs))
  }

  tick(afterMs = 0): Effect[] {
    this.nowMs += afterMs
    const { offset: stateOffset, stateHash } = this.governor
    const governorVersion = '1'
    return this.apply({
      type: 'tick',
      v: 1,
      tenant: 'default',
      governorVersion,
      stateHash,
      stateOffset,
    })
  }

  /** What the counters of a budget have spent, by scope, in the windows of now. */
  spent(budget: string): Record<string, string> {
    const statuses = this.governor.budgets().filter((status) => status.budget === budget)
    return Object.fromEntries(statuses.map(({ scope, spent }) => [scope, spent]))
  }
}

export function policySet(policy: Policy, basedOn: number | null, nowMs: number): LogEvent {
  const zone = zoneOffsets(policy.timezone, nowMs - 40 * DAY_MS, nowMs + 40 * DAY_MS)
  return { type: 'policy.set', v: 1, tenant: 'default', basedOn, policy, zone }
}

/** `action budget scope` of each decision made. */
export function decided(effects: readonly Effect[]): string[] {
  return effects.flatMap((effect) => {
    if (effect.type !== 'decision') return []
    const { action, budget, scope } = effect.decision
    return [`${action} ${budget} ${scope}`]
  })
}

/** Writes what changed over what was written before. */
export function applyChanges(records: Map<string, string>, governor: Governor): [string, string][] {
  for (const { key, value } of governor.changes()) {
    if (value === null) records.delete(key)
    else records.set(key, value)
  }
  return [...records].sort(([a], [b]) => (a < b ? -1 : 1))
}

export const iso = (timeMs: number) => new Date(timeMs).toISOString()
