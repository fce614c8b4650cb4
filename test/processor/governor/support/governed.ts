import assert from 'node:assert/strict'
import {
  type LogEntry,
  type LogEvent,
  type PolicyInput,
  policySchema,
  type UsageEvent,
  zoneOffsets,
} from '@tokenfuse/protocol'
import type { Effect } from '../../../../processor/src/governor/effect.ts'
import { Governor } from '../../../../processor/src/governor/governor.ts'
import { usageEvent } from '../../../support/usage-event.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS
/** A Monday, the first of a month: 2026-06-01T00:00:00Z. */
export const MONDAY_MS = 20_605 * DAY_MS

/** A governor with its log, which can be replaced at any time by one that was restored from a snapshot. */
export class Governed {
  governor = new Governor()
  readonly effects: Effect[] = []
  readonly #records = new Map<string, string>()
  #offset = 0

  setPolicy(budgets: PolicyInput['budgets'], more: Partial<PolicyInput> = {}, atMs = MONDAY_MS) {
    const policy = policySchema.parse({ version: 1, budgets, ...more })
    const zone = zoneOffsets(policy.timezone, atMs - DAY_MS, atMs + 100 * DAY_MS)
    const basedOn = this.governor.policy()?.version ?? null
    return this.apply({ type: 'policy.set', v: 1, tenant: 'default', basedOn, policy, zone }, atMs)
  }

  apply(event: LogEvent, logTimeMs: number): Effect[] {
    const entry: LogEntry = { offset: ++this.#offset, logTimeMs, event }
    const effects = this.governor.apply(entry)
    this.effects.push(...effects)
    return effects
  }

  /** A call of so many tokens that is told of when it is over. */
  use(timeMs: number, tokens: number, more: Partial<UsageEvent> = {}): Effect[] {
    return this.apply(callOf(timeMs, tokens, more), timeMs)
  }

  /** Ticks as often as the governor wants one, once a second at most, up to a time. */
  tickTo(untilMs: number): void {
    for (let atMs = 0; ;) {
      const dueMs = this.governor.tickDueMs()
      if (dueMs === null || dueMs > untilMs) return
      atMs = Math.max(dueMs, atMs + 1000, this.governor.logTimeMs)
      if (atMs > untilMs) return
      this.tick(atMs)
    }
  }

  tick(atMs: number): Effect[] {
    return this.apply(
      {
        type: 'tick',
        v: 1,
        tenant: 'default',
        governorVersion: '1',
        stateHash: this.governor.stateHash,
        stateOffset: this.governor.offset,
      },
      atMs,
    )
  }

  /** Goes on with what a snapshot of now gives. */
  restart(): void {
    this.#takeChanges()
    this.governor = Governor.restore(this.#records)
  }

  /** All that a snapshot holds. */
  records(): ReadonlyMap<string, string> {
    this.#takeChanges()
    return this.#records
  }

  #takeChanges(): void {
    for (const { key, value } of this.governor.changes()) {
      if (value === null) this.#records.delete(key)
      else this.#records.set(key, value)
    }
  }
}

/** Asserts that two snapshots are the same, byte for byte; ids are kept in pieces that follow the snapshots. */
export function assertSameRecords(one: Governed, two: Governed): void {
  const [left, right] = [one.records(), two.records()]
  for (const key of new Set([...left.keys(), ...right.keys()])) {
    if (/^(span|response)\//.test(key)) continue
    assert.equal(left.get(key), right.get(key), key)
  }
}

let calls = 0

export function callOf(timeMs: number, tokens: number, more: Partial<UsageEvent> = {}): UsageEvent {
  const id = (calls++).toString(16)
  return usageEvent({
    time: new Date(timeMs).toISOString(),
    durationMs: 0,
    traceId: id.padStart(32, '0'),
    spanId: id.padStart(16, '0'),
    tokens: {
      input: tokens,
      cacheRead: null,
      cacheWrite: null,
      cacheWrite1h: null,
      output: 0,
      reasoning: null,
    },
    charges: [
      {
        kind: 'input',
        part: 'message',
        model: 'gpt-4o-mini',
        quantity: tokens,
        unit: 'token',
        picoUsd: String(tokens * 150_000),
      },
    ],
    costPicoUsd: String(tokens * 150_000),
    ...more,
  })
}
