import type { Account, AccountReport, CreditReport, LogEntry } from '@tokenfuse/protocol'
import { applyReport, closeAccount, openAccount } from './account.ts'
import type { ActiveBudget } from './budgets.ts'
import { type Counter, counterKey, heldOf } from './counter.ts'
import { counterAt } from './counter-at.ts'
import type { Effect, RecalledAccount } from './effect.ts'
import { accountState, fairShare, lend } from './lending.ts'
import type { GovernorState, GuardRow } from './state.ts'
import { limitOf } from './thresholds.ts'

const MAX_GUARDS = 100_000

/** Takes a guard's report in and lends what it asks for, as far as there is anything to lend. */
export function applyCreditReport(
  state: GovernorState,
  { event, offset, logTimeMs }: LogEntry<CreditReport>,
  effects: Effect[],
): void {
  const guard = guardRow(state, event.guard, offset)
  if (!guard) {
    const message = `${MAX_GUARDS} guards hold credit already`
    effects.push({ type: 'rejected', event, code: 'bad_request', message })
    return
  }
  // An overtaken report tells nothing new.
  if (event.sequence <= guard.sequence) return
  guard.sequence = event.sequence
  guard.reportedAtMs = logTimeMs
  guard.closing = event.closing
  state.guards.touch(event.guard)
  for (const report of event.accounts) {
    const budget = state.policy?.byId.get(report.budget)
    if (!budget) continue
    const found = counterFor(state, budget, report)
    if (!found) continue
    const { key, counter } = found
    let account = counter.accounts.get(event.guard)
    if (!account) {
      account = openAccount()
      counter.accounts.set(event.guard, account)
      guard.counters.push(key)
    }
    applyReport(account, report, offset, logTimeMs)
    state.counters.touch(key)
    lendOn(state, key, counter, budget, effects)
  }
  if (event.closing) closeAccounts(state, event.guard, guard, effects)
  state.hash.foldNumber(event.sequence)
}

/**
 * A guard that ends has told all its calls before: what it was lent and did not use can be lent to others. It may have
 * died between its last report and this, so nothing that it still had in flight is waited for.
 */
function closeAccounts(state: GovernorState, id: string, guard: GuardRow, effects: Effect[]): void {
  for (const key of guard.counters) {
    const counter = state.counters.get(key)
    const account = counter?.accounts.get(id)
    const budget = counter && state.policy?.byId.get(counter.budget)
    if (!counter || !account || !budget) continue
    closeAccount(account)
    state.counters.touch(key)
    lendOn(state, key, counter, budget, effects)
  }
}

function guardRow(state: GovernorState, id: string, offset: number): GuardRow | null {
  const known = state.guards.get(id)
  if (known) return known
  if (state.guards.size >= MAX_GUARDS) return null
  const row: GuardRow = {
    order: offset,
    reportedAtMs: 0,
    sequence: -1,
    closing: false,
    counters: [],
  }
  state.guards.set(id, row)
  return row
}

/** Credit for a window that is over can be settled, never opened. */
function counterFor(state: GovernorState, budget: ActiveBudget, report: AccountReport) {
  if (report.windowFromMs === null) return counterAt(state, budget, report.scope, state.logTimeMs)
  const key = counterKey({
    budget: budget.id,
    scope: report.scope,
    fromMs: report.windowFromMs,
  })
  const counter = state.counters.get(key)
  if (counter) return { key, counter }
  const current = counterAt(state, budget, report.scope, state.logTimeMs)
  return current.counter.fromMs === report.windowFromMs ? current : null
}

/** Lends on a counter and tells every guard whose account or chances changed. */
export function lendOn(
  state: GovernorState,
  key: string,
  counter: Counter,
  budget: ActiveBudget,
  effects: Effect[],
): void {
  const limit = limitOf(state, budget, counter.scope)
  const over = counter.untilMs !== null && counter.untilMs <= state.logTimeMs
  const { granted, recalled } = lend(counter, over ? 0n : limit, state.offset, state.logTimeMs)
  const toTell = new Set(granted)
  for (const [guard, account] of counter.accounts) {
    if (account.held) continue
    const chances = accountState(counter, account, limit)
    if (chances === account.told) continue
    account.told = chances
    if (account.need > 0n || chances === 'open') toTell.add(guard)
  }
  if (toTell.size + recalled.length > 0) state.counters.touch(key)
  for (const guard of toTell) {
    const account = accountFor(state, counter, budget, guard)
    if (account) effects.push({ type: 'credit', offset: state.offset, guard, accounts: [account] })
  }
  const accounts: readonly RecalledAccount[] = [
    { budget: counter.budget, scope: counter.scope, windowFromMs: counter.fromMs },
  ]
  for (const guard of recalled) effects.push({ type: 'recall', guard, accounts })
}

/** How an account stands, as its guard is told. */
export function accountFor(
  state: GovernorState,
  counter: Counter,
  budget: ActiveBudget,
  guard: string,
): Account | null {
  const account = counter.accounts.get(guard)
  if (!account) return null
  const limit = limitOf(state, budget, counter.scope)
  return {
    budget: counter.budget,
    scope: counter.scope,
    windowFromMs: counter.fromMs,
    windowUntilMs: counter.untilMs,
    unit: counter.unit,
    limit: String(limit),
    spent: String(counter.spent),
    lent: String(account.lent),
    fairShare: String(fairShare(counter, limit, heldOf(counter))),
    state: accountState(counter, account, limit),
  }
}
