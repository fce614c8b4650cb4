import type { LogEntry, UsageEvent } from '@tokenfuse/protocol'
import { applySeen } from './account.ts'
import { amountsOf, budgetsFor, dimensionsOf } from './budgets.ts'
import { counterAt, zoneOf } from './counter-at.ts'
import { lendOn } from './apply-credit.ts'
import type { Effect } from './effect.ts'
import { HORIZON_MS } from './id-generations.ts'
import { msFromIso } from './iso-time.ts'
import type { GovernorState } from './state.ts'
import { decide } from './thresholds.ts'
import { stepName } from './usage-ledger.ts'
import { dayName } from './windows.ts'

/** A call that claims to be further ahead of the log than this counts at log time. */
const MAX_AHEAD_MS = 5 * 60_000

/** Counts one call once in each of its scopes, or says why not. */
export function applyUsage(
  state: GovernorState,
  { event, logTimeMs, offset }: LogEntry<UsageEvent>,
  effects: Effect[],
): void {
  const claimedMs = msFromIso(event.time)
  if (Number.isNaN(claimedMs)) {
    const message = `the call's time "${event.time}" is no ISO 8601 time in UTC`
    effects.push({ type: 'rejected', event, code: 'usage_invalid', message })
    return
  }
  const timeMs = claimedMs > logTimeMs + MAX_AHEAD_MS ? logTimeMs : claimedMs
  const endMs = timeMs + event.durationMs
  if (endMs < logTimeMs - HORIZON_MS) {
    effects.push({ type: 'late', event })
    return
  }
  if (isRepeated(state, event, endMs)) {
    effects.push({ type: 'duplicate', event })
    return
  }
  remember(state, event, endMs)
  state.ledger.add(event, dayName(timeMs, zoneOf(state)), offset)
  learnLength(state, event, offset)
  countInBudgets(state, event, timeMs, effects)
  state.hash.foldNumber(offset)
  effects.push({ type: 'counted', event })
}

const spanIdOf = (event: UsageEvent, spanId: string) => `${event.tenant}:${event.traceId}${spanId}`

function isRepeated(state: GovernorState, event: UsageEvent, endMs: number): boolean {
  if (state.spans.has(spanIdOf(event, event.spanId), endMs)) return true
  if (event.responseId === null || event.source === 'cache') return false
  return state.responses.has(responseIdOf(event), endMs)
}

const responseIdOf = (event: UsageEvent) => `${event.tenant}:${event.provider}:${event.responseId}`

function remember(state: GovernorState, event: UsageEvent, endMs: number): void {
  state.spans.add(spanIdOf(event, event.spanId), endMs)
  // A span around this one that claims usage of its own repeats what is counted here.
  if (event.parentSpanId !== null) state.spans.add(spanIdOf(event, event.parentSpanId), endMs)
  if (event.responseId !== null) state.responses.add(responseIdOf(event), endMs)
  state.spans.forget(state.logTimeMs)
  state.responses.forget(state.logTimeMs)
}

function learnLength(state: GovernorState, event: UsageEvent, offset: number): void {
  const { output } = event.tokens
  if (output === null || event.source !== 'provider' || event.responseId === null) return
  const cap = event.verdict?.cap ?? null
  const profile = {
    agent: event.agent,
    step: stepName(event),
    provider: event.provider,
    model: event.requestModel,
  }
  state.lengths.add(profile, output, cap !== null && output >= cap, offset)
}

function countInBudgets(
  state: GovernorState,
  event: UsageEvent,
  timeMs: number,
  effects: Effect[],
): void {
  const { policy } = state
  if (!policy || policy.budgets.length === 0) return
  const amounts = amountsOf(event)
  for (const { budget, scope } of budgetsFor(policy, dimensionsOf(event))) {
    const { key, counter } = counterAt(state, budget, scope, timeMs)
    const amount = amounts[budget.unit]
    const account = event.guard === null ? undefined : counter.accounts.get(event.guard)
    if (account) {
      const added = applySeen(account, amount)
      counter.unconfirmed -= amount - added
      counter.spent += added
    } else {
      counter.spent += amount
      counter.unguarded += amount
    }
    state.hash.foldAmount(counter.spent)
    state.counters.touch(key)
    decide(state, key, counter, budget, effects)
    if (counter.accounts.size > 0) lendOn(state, key, counter, budget, effects)
  }
}
