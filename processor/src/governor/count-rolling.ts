import type { GuardAccount } from './account.ts'
import { type Amount, minus, positive } from './amount.ts'
import { lendOn } from './apply-credit.ts'
import type { ActiveBudget } from './budgets.ts'
import type { Counter } from './counter.ts'
import type { Effect } from './effect.ts'
import { isWithinRolling, type RollingPlan } from './rolling-spend.ts'
import type { GovernorState } from './state.ts'
import { decide } from './thresholds.ts'

/** What one tick lets go at most, so that none takes long. */
const MAX_LEAVING = 10_000

/** Counts a call in a window that ends now, if it is not too old for that; its guard's credit is used up either way. */
export function countRolling(
  { rolling, logTimeMs }: GovernorState,
  plan: RollingPlan,
  counter: Counter,
  account: GuardAccount | null,
  timeMs: number,
  amount: Amount,
): void {
  if (!isWithinRolling(plan, timeMs, logTimeMs)) {
    if (account) counter.seeOnly(amount, account)
    return
  }
  const before = counter.spent
  counter.count(amount, account)
  const { window, scope } = counter
  rolling.add(window.budget, scope, plan, timeMs, minus(counter.spent, before))
}

/** Lets go what is of no window any more: there is more to lend, and a block may end. */
export function leaveRolling(state: GovernorState, effects: Effect[]): void {
  const { rolling, counters, policy, logTimeMs } = state
  for (const { budget: id, scope, amount } of rolling.takeLeaving(logTimeMs, MAX_LEAVING)) {
    const counter = counters.get({ budget: id, scope, fromMs: 0 })
    const budget = policy?.byId.get(id)
    if (!counter || !budget) continue
    // A correction of what had left or was forgotten before took nothing out, so nothing comes back.
    counter.letGo(positive(amount))
    counters.touch(counter)
    state.hash.foldNumber(counter.spentRest)
    decide(state, counter, budget, effects)
    if (counter.accounts.size > 0) lendOn(state, counter, budget, effects)
    forgetUnused(state, counter)
  }
}

/** A rolling window has no end at which its counter would go, so it goes once it says nothing. */
export function forgetUnused({ counters, policy }: GovernorState, counter: Counter): void {
  const { window, accounts, spent, decision } = counter
  const isRolling = Boolean(policy?.byId.get(window.budget)?.rolling)
  if (isRolling && accounts.size === 0 && spent === 0 && decision === null) counters.delete(counter)
}

/** When what a tick books as spent leaves its window. */
export function bookRolling(
  { rolling, logTimeMs }: GovernorState,
  { id, rolling: plan }: ActiveBudget,
  scope: string,
  amount: Amount,
): void {
  if (plan) rolling.add(id, scope, plan, logTimeMs, amount)
}
