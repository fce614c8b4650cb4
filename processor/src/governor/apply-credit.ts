import type { Account, AccountReport, CreditReport } from '@tokenfuse/protocol'
import type { ActiveBudget } from './budgets.ts'
import { type Counter, heldOf, isOver } from './counter.ts'
import type { Effect, RecalledAccount } from './effect.ts'
import { accountState, fairShare, lend, noteChances } from './lending.ts'
import { ceilingsOf } from './scarcity.ts'
import type { GovernorState, GuardRow } from './state.ts'
import { NEW_ROW } from './table.ts'

const MAX_GUARDS = 100_000

/** Takes a guard's report in and lends what it asks for, as far as there is anything to lend. */
export function applyCreditReport(
  state: GovernorState,
  event: CreditReport,
  effects: Effect[],
): void {
  const guard = guardRow(state, event.guard)
  if (!guard) {
    const message = `${MAX_GUARDS} guards hold credit already`
    effects.push({ type: 'rejected', event, code: 'bad_request', message })
    return
  }
  // An overtaken report tells nothing new.
  if (event.sequence <= guard.sequence) return
  guard.sequence = event.sequence
  guard.reportedAtMs = state.logTimeMs
  guard.closing = event.closing
  state.guards.touch(guard)
  for (const report of event.accounts) {
    const budget = state.policy?.byId.get(report.budget)
    if (!budget) continue
    const counter = counterFor(state, budget, report)
    if (!counter) continue
    const account =
      counter.accounts.get(event.guard) ?? state.counters.openAccount(counter, guard.key)
    account.report(report, state.offset, state.logTimeMs)
    if (account.want > 0) counter.noteRank(account.rank)
    counter.sumOutstanding()
    state.counters.touch(counter)
    lendOn(state, counter, budget, effects)
  }
  if (event.closing) closeAccounts(state, event.guard, effects)
  state.hash.foldNumber(event.sequence)
}

/**
 * A guard that ends has told all its calls before: what it was lent and did not use can be lent to others. It may have
 * died between its last report and this, so nothing that it still had in flight is waited for.
 */
function closeAccounts(state: GovernorState, guard: string, effects: Effect[]): void {
  for (const counter of state.counters.active()) {
    const account = counter.accounts.get(guard)
    const budget = account && state.policy?.byId.get(counter.window.budget)
    if (!account || !budget) continue
    account.close()
    state.counters.touch(counter)
    lendOn(state, counter, budget, effects)
  }
}

function guardRow(state: GovernorState, id: string): GuardRow | null {
  const known = state.guards.get(id)
  if (known) return known
  if (state.guards.size >= MAX_GUARDS) return null
  const row: GuardRow = {
    key: id,
    order: state.nextOrder(),
    reportedAtMs: 0,
    sequence: -1,
    closing: false,
    ...NEW_ROW,
  }
  state.guards.set(row)
  return row
}

/** Credit for a window that is over can be settled, never opened; of what is counted no more there is nothing to say. */
function counterFor(
  state: GovernorState,
  budget: ActiveBudget,
  { scope, windowFromMs, since }: AccountReport,
): Counter | null {
  if (since !== null && since !== budget.since) return null
  if (windowFromMs !== null) {
    const counter = state.counters.get({ budget: budget.id, scope, fromMs: windowFromMs })
    if (counter) return counter
  }
  const current = state.counters.forScope(budget, scope, state.logTimeMs, state.zone)
  return windowFromMs === null || current.window.fromMs === windowFromMs ? current : null
}

/** Lends on a counter and tells every guard whose account or chances changed. */
export function lendOn(
  state: GovernorState,
  counter: Counter,
  budget: ActiveBudget,
  effects: Effect[],
): void {
  const { offset, logTimeMs } = state
  const limit = isOver(counter, logTimeMs) ? 0 : counter.limit
  const { granted, recalled } = lend(counter, limit, offset, logTimeMs)
  const toTell = new Set([...granted, ...noteChances(counter, counter.limit)])
  state.counters.classify(counter)
  if (toTell.size + recalled.length > 0) state.counters.touch(counter)
  for (const { guard } of toTell) {
    const account = accountFor(counter, budget, guard)
    if (account) effects.push({ type: 'credit', offset, guard, accounts: [account] })
  }
  const accounts: readonly RecalledAccount[] = [
    { budget: budget.id, scope: counter.scope, windowFromMs: counter.window.fromMs },
  ]
  for (const { guard } of recalled) effects.push({ type: 'recall', guard, accounts })
}

/** How an account stands, as its guard is told. */
export function accountFor(
  counter: Counter,
  { id: budget, unit, since }: ActiveBudget,
  guard: string,
): Account | null {
  const account = counter.accounts.get(guard)
  if (!account) return null
  const ceilings = ceilingsOf(counter)
  return {
    budget,
    scope: counter.scope,
    windowFromMs: counter.window.fromMs,
    windowUntilMs: counter.window.untilMs,
    since,
    unit,
    limit: String(counter.limit),
    spent: String(counter.spent),
    lent: String(account.lent),
    fairShare: String(fairShare(counter, heldOf(counter))),
    ...(ceilings && { ceilings }),
    state: accountState(counter, account),
  }
}
