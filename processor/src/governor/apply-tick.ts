import { CREDIT_TTL_MARGIN_MS, CREDIT_TTL_MS } from '@tokenfuse/protocol'
import { charge, outstanding, release, unseen } from './account.ts'
import { lendOn } from './apply-credit.ts'
import type { ActiveBudget } from './budgets.ts'
import { type Counter, heldOf, outstandingOf } from './counter.ts'
import type { Effect } from './effect.ts'
import { HORIZON_MS } from './id-generations.ts'
import type { GovernorState } from './state.ts'
import { decide, endDecision } from './thresholds.ts'

const SILENT_AFTER_MS = CREDIT_TTL_MS + CREDIT_TTL_MARGIN_MS

/** Does what is due by log time: holds and settles credit, ends overrides, decisions and windows. */
export function applyTick(state: GovernorState, effects: Effect[]): void {
  endOverrides(state)
  for (const [key, counter] of state.counters.entries()) {
    const budget = state.policy?.byId.get(counter.budget)
    if (!budget) {
      endDecision(state, key, counter, 'the budget is gone from the policy', effects)
      if (outstandingOf(counter) + heldOf(counter) === 0n) state.counters.delete(key)
      continue
    }
    settleAccounts(state, key, counter, budget)
    if (counter.untilMs !== null && counter.untilMs <= state.logTimeMs) {
      endWindow(state, key, counter, counter.untilMs, effects)
      continue
    }
    decide(state, key, counter, budget, effects)
    if (counter.accounts.size > 0) lendOn(state, key, counter, budget, effects)
  }
  forgetGuards(state)
}

/** Log time at which a tick would change something, or `null`. */
export function tickDueMs(state: GovernorState): number | null {
  let due = Infinity
  for (const override of state.overrides.values()) {
    if (override.untilMs !== null) due = Math.min(due, override.untilMs)
  }
  for (const [id, guard] of state.guards.entries()) {
    for (const key of guard.counters) {
      const counter = state.counters.get(key)
      const account = counter?.accounts.get(id)
      if (!counter || !account || outstanding(account) === 0n) continue
      const budget = state.policy?.byId.get(counter.budget)
      const settleMs = guard.reportedAtMs + (budget?.settleAfter ?? 0)
      due = Math.min(
        due,
        account.held || guard.closing ? settleMs : guard.reportedAtMs + SILENT_AFTER_MS,
      )
    }
  }
  for (const key of state.decided) {
    const untilMs = state.counters.get(key)?.untilMs ?? null
    if (untilMs !== null) due = Math.min(due, untilMs)
  }
  return due === Infinity ? null : due
}

function endOverrides(state: GovernorState): void {
  for (const [key, override] of [...state.overrides.entries()]) {
    if (override.untilMs !== null && override.untilMs <= state.logTimeMs)
      state.overrides.delete(key)
  }
}

/** Holds the credit of silent guards; after `settleAfter` books what was never seen, or lets it go. */
function settleAccounts(
  state: GovernorState,
  key: string,
  counter: Counter,
  budget: ActiveBudget,
): void {
  for (const [id, account] of counter.accounts) {
    const guard = state.guards.get(id)
    const silentMs = state.logTimeMs - (guard?.reportedAtMs ?? 0)
    const settled = silentMs >= budget.settleAfter
    if (settled && outstanding(account) > 0n) {
      // A guard that said goodbye has nothing but what it said it used; one that vanished may have used all.
      const booked =
        guard?.closing || budget.mode !== 'hard' ? unseen(account) : outstanding(account)
      counter.spent += charge(account, booked)
      counter.unconfirmed += booked
      release(account)
      state.counters.touch(key)
    } else if (!account.held && !guard?.closing && silentMs >= SILENT_AFTER_MS) {
      account.held = outstanding(account) > 0n
      account.need = 0n
      account.want = 0n
      account.waitingSince = 0
      state.counters.touch(key)
    } else if (unseen(account) > 0n && state.logTimeMs - account.usedAtMs >= budget.settleAfter) {
      const booked = unseen(account)
      counter.spent += charge(account, booked)
      counter.unconfirmed += booked
      state.counters.touch(key)
    }
  }
}

/** A window that is over keeps its counter for as long as late calls may still count in it. */
function endWindow(
  state: GovernorState,
  key: string,
  counter: Counter,
  untilMs: number,
  effects: Effect[],
): void {
  endDecision(state, key, counter, 'the window is over', effects)
  if (untilMs + HORIZON_MS < state.logTimeMs) state.counters.delete(key)
}

/** A guard that was silent for the horizon and holds no credit is forgotten, with its empty accounts. */
function forgetGuards(state: GovernorState): void {
  for (const [id, guard] of [...state.guards.entries()]) {
    if (state.logTimeMs - guard.reportedAtMs < HORIZON_MS) continue
    for (const key of guard.counters) {
      if (state.counters.get(key)?.accounts.delete(id)) state.counters.touch(key)
    }
    state.guards.delete(id)
  }
}
