import { CREDIT_TTL_MARGIN_MS, CREDIT_TTL_MS } from '@tokenfuse/protocol'
import { type GuardAccount, isSettled, outstanding, unseen } from './account.ts'
import type { Amount } from './amount.ts'
import { lendOn } from './apply-credit.ts'
import { limitChanged } from './apply-policy.ts'
import type { ActiveBudget } from './budgets.ts'
import { bookRolling, forgetUnused, leaveRolling } from './count-rolling.ts'
import { type Counter, isOver } from './counter.ts'
import { tickDetections } from './detect/apply-detections.ts'
import type { Effect } from './effect.ts'
import { tickForecastDecisions } from './forecast/apply-forecasts.ts'
import { HORIZON_MS } from './id-generations.ts'
import { rulesDueMs, tickRules } from './rules/apply-rules.ts'
import type { GovernorState } from './state.ts'
import { decide, endDecision } from './thresholds.ts'

const SILENT_AFTER_MS = CREDIT_TTL_MS + CREDIT_TTL_MARGIN_MS
const FORGET_GUARDS_EVERY_MS = 3_600_000
/** Counters that one tick forgets at most, so that none takes long. */
const MAX_FORGOTTEN = 10_000

/** Does what is due by log time: holds and settles credit, ends overrides, decisions and windows. */
export function applyTick(state: GovernorState, effects: Effect[]): void {
  for (const { budget: id, scope } of state.overrides.takeEnded(state.logTimeMs)) {
    const budget = state.policy?.byId.get(id)
    if (budget) limitChanged(state, budget, scope, effects)
  }
  leaveRolling(state, effects)
  for (const counter of state.counters.active()) {
    const budget = state.policy?.byId.get(counter.window.budget)
    if (!budget) continue
    settleAccounts(state, counter, budget)
    decide(state, counter, budget, effects)
    lendOn(state, counter, budget, effects)
  }
  for (const counter of state.counters.decided()) {
    if (isOver(counter, state.logTimeMs)) {
      endDecision(state, counter, 'the window is over', effects)
    }
  }
  state.counters.forgetWindows(state.logTimeMs, MAX_FORGOTTEN)
  state.forecasts.tick(state.logTimeMs)
  tickForecastDecisions(state, effects)
  tickDetections(state, effects)
  tickRules(state, effects)
  forgetGuards(state)
}

/** Log time at which a tick would change something, or `null`. */
export function tickDueMs(state: GovernorState): number | null {
  const { overrides, counters, forecasts, forecastDecisions, detectors, rolling } = state
  let due = Math.min(
    overrides.nextEndMs(),
    counters.nextForgetMs(),
    forecasts.dueMs(),
    forecastDecisions.dueMs(),
    detectors.dueMs(),
    rolling.nextLeaveMs(),
    rulesDueMs(state),
  )
  for (const counter of state.counters.active()) {
    const budget = state.policy?.byId.get(counter.window.budget)
    if (budget) due = Math.min(due, accountsDueMs(state, counter, budget))
  }
  for (const { window } of state.counters.decided()) {
    if (window.untilMs !== null) due = Math.min(due, window.untilMs)
  }
  return due === Infinity ? null : due
}

function accountsDueMs(state: GovernorState, counter: Counter, budget: ActiveBudget): number {
  let due = Infinity
  for (const account of counter.accounts.all()) {
    const guard = state.guards.get(account.guard)
    const reportedAtMs = guard?.reportedAtMs ?? 0
    const isHeld = account.held || guard?.closing === true
    if (!isHeld && !isSettled(account)) due = Math.min(due, reportedAtMs + SILENT_AFTER_MS)
    if (isHeld && outstanding(account) > 0) due = Math.min(due, reportedAtMs + budget.settleAfter)
    if (unseen(account) > 0) due = Math.min(due, account.usedAtMs + budget.settleAfter)
  }
  return due
}

/** Holds the credit of silent guards; after `settleAfter` books what was never seen, or lets it go. */
function settleAccounts(state: GovernorState, counter: Counter, budget: ActiveBudget): void {
  for (const account of counter.accounts.all()) {
    const guard = state.guards.get(account.guard)
    const silentMs = state.logTimeMs - (guard?.reportedAtMs ?? 0)
    if (silentMs >= SILENT_AFTER_MS && !account.held && !guard?.closing) {
      hold(account)
      state.counters.touch(counter)
    }
    if (silentMs >= budget.settleAfter && outstanding(account) > 0) {
      // A guard that said goodbye has nothing but what it said it used; one that vanished may have used all.
      const isKnown = guard?.closing === true || budget.mode !== 'hard'
      book(state, counter, budget, account, isKnown ? unseen(account) : outstanding(account))
      account.release()
    } else if (state.logTimeMs - account.usedAtMs >= budget.settleAfter) {
      book(state, counter, budget, account, unseen(account))
    }
  }
}

/** What a silent guard holds is not its own any more, and it waits for nothing. */
function hold(account: GuardAccount): void {
  account.held = outstanding(account) > 0
  account.need = 0
  account.want = 0
  account.waitingSince = 0
}

/** Counts as spent what no usage event has shown. */
function book(
  state: GovernorState,
  counter: Counter,
  budget: ActiveBudget,
  account: GuardAccount,
  amount: Amount,
): void {
  if (amount === 0) return
  counter.countUnseen(amount, account)
  bookRolling(state, budget, counter.scope, amount)
  state.counters.touch(counter)
}

/** A guard that was silent for the horizon and holds no credit is forgotten, with its empty accounts. */
function forgetGuards(state: GovernorState): void {
  if (state.logTimeMs - state.guardsForgottenAtMs < FORGET_GUARDS_EVERY_MS) return
  state.guardsForgottenAtMs = state.logTimeMs
  const forgotten = [...state.guards.values()].filter(
    ({ reportedAtMs }) => state.logTimeMs - reportedAtMs >= HORIZON_MS,
  )
  if (forgotten.length === 0) return
  for (const guard of forgotten) state.guards.delete(guard)
  for (const counter of state.counters.values()) {
    if (counter.accounts.size === 0) continue
    for (const { key } of forgotten) {
      const account = counter.accounts.delete(key)
      if (!account) continue
      account.free()
      state.counters.touch(counter)
    }
    counter.sumOutstanding()
    state.counters.classify(counter)
    forgetUnused(state, counter)
  }
}
