import type { UsageEvent } from '@tokenfuse/protocol'
import { applyBetterUsage } from './apply-better-usage.ts'
import { countInBudgets } from './count-in-budgets.ts'
import { observeCall } from './detect/apply-detections.ts'
import type { Effect } from './effect.ts'
import { HORIZON_MS } from './id-generations.ts'
import { msFromIso } from './iso-time.ts'
import { applyRules } from './rules/apply-rules.ts'
import type { GovernorState } from './state.ts'

const MINUTE_MS = 60_000
/** A call that claims to be further ahead of the log than this counts at log time. */
const MAX_AHEAD_MS = 5 * MINUTE_MS
/** Two instrumentations see the same answer end at about the same time. */
const SAME_END_MS = MINUTE_MS

/** Counts one call once in each of its scopes, or says why not. */
export function applyUsage(state: GovernorState, event: UsageEvent, effects: Effect[]): void {
  const { logTimeMs } = state
  const claimedMs = msFromIso(event.time)
  if (Number.isNaN(claimedMs)) {
    const message = `the call's time "${event.time}" is no ISO 8601 time in UTC`
    effects.push({ type: 'rejected', event, code: 'usage_invalid', message })
    return
  }
  const timeMs = claimedMs > logTimeMs + MAX_AHEAD_MS ? logTimeMs : claimedMs
  const keptFromMs = Math.max(logTimeMs - HORIZON_MS, state.spans.knownFromMs)
  if (timeMs + event.durationMs < keptFromMs) {
    effects.push({ type: 'late', event })
    return
  }
  if (!remember(state, event, claimedMs)) {
    const counted = state.estimated.takeLessSure(event)
    if (counted) applyBetterUsage(state, counted, event, effects)
    else effects.push({ type: 'duplicate', event })
    return
  }
  state.call.load(event)
  state.amounts.load(event)
  state.ledger.add(event, state.amounts, state.dayAt(timeMs))
  learnLength(state, event)
  countInBudgets(state, event, timeMs, effects)
  observeCall(state, event, timeMs, effects)
  state.estimated.note(event, timeMs)
  applyRules(state, timeMs, effects)
  state.hash.foldNumber(state.offset)
  effects.push({ type: 'counted', event })
}

/**
 * Remembers a call by its span and its answer.
 * @param startMs as the span itself says it, so that a repeat is known whenever it comes
 * @returns whether it was not counted yet
 */
function remember(state: GovernorState, event: UsageEvent, startMs: number): boolean {
  const { spans, responses, ids, logTimeMs } = state
  const endMs = startMs + event.durationMs
  const hasResponse = event.responseId !== null
  ids.load(event)
  state.fetched =
    spans.near(ids.span, endMs) +
    spans.near(ids.parent, endMs) +
    responses.near(ids.response, endMs)
  spans.forget(logTimeMs)
  responses.forget(logTimeMs)
  // The whole time of the span, since it may be the parent of one that was counted when it ended.
  if (spans.has(ids.span, startMs, endMs, logTimeMs)) return false
  if (hasResponse && event.source !== 'cache') {
    const [fromMs, untilMs] = [endMs - SAME_END_MS, endMs + SAME_END_MS]
    if (responses.has(ids.response, fromMs, untilMs, logTimeMs)) return false
  }
  spans.add(ids.span, endMs, logTimeMs)
  // A span around this one that claims usage of its own repeats what is counted here.
  if (event.parentSpanId !== null) spans.add(ids.parent, endMs, logTimeMs)
  if (hasResponse) responses.add(ids.response, endMs, logTimeMs)
  return true
}

function learnLength({ lengths }: GovernorState, event: UsageEvent): void {
  const { output } = event.tokens
  if (output === null || event.source !== 'provider' || event.responseId === null) return
  const cap = event.verdict?.cap ?? null
  lengths.add(output, cap !== null && output >= cap)
}
