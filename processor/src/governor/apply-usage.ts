import type { UsageEvent } from '@tokenfuse/protocol'
import type { GuardAccount } from './account.ts'
import type { Amount } from './amount.ts'
import { applyBetterUsage } from './apply-better-usage.ts'
import { lendOn } from './apply-credit.ts'
import { amountIn, isCounted } from './budgets.ts'
import { countRolling } from './count-rolling.ts'
import type { Counter } from './counter.ts'
import { observeCall } from './detect/apply-detections.ts'
import type { Effect } from './effect.ts'
import type { ForecastBudget } from './forecast/scope-forecasts.ts'
import { forecastUnits } from './forecast/units.ts'
import { HORIZON_MS } from './id-generations.ts'
import { msFromIso } from './iso-time.ts'
import { mayLend } from './lending.ts'
import type { Scope } from './scopes.ts'
import type { GovernorState } from './state.ts'
import { decide } from './thresholds.ts'

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

function countInBudgets(
  state: GovernorState,
  event: UsageEvent,
  timeMs: number,
  effects: Effect[],
): void {
  const { policy, call, zone, counters, amounts } = state
  if (!policy || policy.budgets.length === 0) return
  const guard = event.guard === null ? null : (state.guards.get(event.guard)?.key ?? null)
  for (const budget of policy.budgets) {
    if (!isCounted(budget, call)) continue
    const scope = call.scopes[budget.scopeNumber] as Scope
    const counter = counters.forCall(budget, scope, timeMs, zone)
    const account = guard === null ? null : counter.accounts.get(guard)
    const { rolling } = budget
    const isSteps = budget.unit === 'steps'
    const amount = isSteps
      ? countStep(state, event, counter, account)
      : amountIn(budget.unit, amounts)
    const isQuiet = !isSteps && !rolling && counter.countQuietly(amount, account)
    if (rolling) countRolling(state, rolling, counter, account, timeMs, amount)
    else if (!isSteps && !isQuiet) counter.count(amount, account)
    if (budget.forecast) recordForForecast(state, counter, budget.forecast, timeMs, amount)
    state.hash.foldNumber(counter.spentRest)
    counters.touch(counter)
    if (isQuiet) continue
    decide(state, counter, budget, effects)
    if (counter.accounts.size > 0 && mayLend(counter, account)) {
      lendOn(state, counter, budget, effects)
    }
    counter.settleDown()
  }
}

function recordForForecast(
  { forecasts, logTimeMs }: GovernorState,
  counter: Counter,
  budget: ForecastBudget,
  timeMs: number,
  amount: Amount,
): void {
  if (counter.bin === null || counter.bin.isGone) {
    counter.bin = forecasts.binOf(budget, counter.scope, timeMs)
  }
  forecasts.record(counter.bin, timeMs, logTimeMs, forecastUnits(counter.window.unit, amount))
}

/**
 * Each guard takes credit for the first call that it makes of a step; the step counts once, whoever takes it.
 * @returns what was counted
 */
function countStep(
  { counters: { steps }, amounts }: GovernorState,
  event: UsageEvent,
  counter: Counter,
  account: GuardAccount | null,
): Amount {
  if (amounts.isRefusal) return 0
  counter.steps ??= new Set()
  const amount = steps.isFirst(counter.steps, event, null) ? 1 : 0
  const isFirstOfGuard = account !== null && steps.isFirst(counter.steps, event, account.guard)
  counter.count(amount, account, isFirstOfGuard ? 1 : 0)
  return amount
}
