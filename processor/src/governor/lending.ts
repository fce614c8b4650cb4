import {
  type AccountState,
  type GuardAccount,
  idle,
  max,
  min,
  outstanding,
  unseen,
} from './account.ts'
import { type Counter, lendable } from './counter.ts'

const RECALL_AGAIN_MS = 5_000

/** What lending did: whose account changed, and whose idle credit is wanted back. */
export type LendingOutcome = {
  readonly granted: readonly string[]
  readonly recalled: readonly string[]
}

/**
 * Serves the guards that want credit on a counter. What waiting calls need comes first, longest waiting first and
 * whole, since a part of it would help nobody; then what is left is split evenly among what more is wanted. Where a
 * need cannot be met, idle credit of all others is recalled.
 */
export function lend(
  counter: Counter,
  limit: bigint,
  offset: number,
  logTimeMs: number,
): LendingOutcome {
  const granted = new Set<string>()
  let available = lendable(counter, limit)
  let short = false
  for (const [guard, account] of waiting(counter)) {
    const missing = account.need - idle(account)
    if (missing <= 0n) continue
    if (missing > available) {
      // Nothing overtakes a call that may still be served: small ones would starve it.
      if (mayBeServed(counter, account, missing, available)) {
        short = true
        break
      }
      continue
    }
    grant(account, missing)
    // Served: its next call waits behind those that wait already.
    account.waitingSince = offset
    available -= missing
    granted.add(guard)
  }
  if (!short) for (const guard of splitRest(counter, available)) granted.add(guard)
  return { granted: [...granted], recalled: short ? recall(counter, logTimeMs) : [] }
}

/** Whether the need can be met once calls in flight are done and idle credit is back. */
function mayBeServed(
  counter: Counter,
  account: GuardAccount,
  missing: bigint,
  available: bigint,
): boolean {
  let mayCome = available
  for (const other of counter.accounts.values()) {
    if (other.held) continue
    // Of what is in flight a part comes back; what was used will not, it only waits to be seen. Of its own, idle
    // credit is in `missing` already.
    mayCome += outstanding(other) - unseen(other)
    if (other === account) mayCome -= idle(other)
  }
  return missing <= mayCome
}

function waiting(counter: Counter): [guard: string, account: GuardAccount][] {
  return [...counter.accounts]
    .filter(([, account]) => account.need > 0n && !account.held)
    .sort(([, a], [, b]) => a.waitingSince - b.waitingSince)
}

/** Max-min fair: each gets what it wants up to an equal share, and what some leave goes to the others. */
function splitRest(counter: Counter, available: bigint): string[] {
  const wanting = [...counter.accounts]
    .map(([guard, account]) => ({ guard, account, more: account.want - idle(account) }))
    .filter(({ account, more }) => more > 0n && !account.held)
    .sort((a, b) => (a.more < b.more ? -1 : a.more > b.more ? 1 : a.guard < b.guard ? -1 : 1))
  const granted: string[] = []
  let rest = available
  for (const [index, { guard, account, more }] of wanting.entries()) {
    const share = rest / BigInt(wanting.length - index)
    const amount = min(more, share)
    if (amount <= 0n) continue
    grant(account, amount)
    rest -= amount
    granted.push(guard)
  }
  return granted
}

function grant(account: GuardAccount, amount: bigint): void {
  account.lent += amount
}

/**
 * Guards whose credit would help those that wait: what is idle, and what becomes so when their calls end. A guard
 * that was asked gives back for a while by itself, so it is not asked again before that.
 */
function recall(counter: Counter, logTimeMs: number): string[] {
  const first = waiting(counter)[0]?.[0]
  const recalled: string[] = []
  for (const [guard, account] of counter.accounts) {
    if (guard === first || account.held || outstanding(account) === 0n) continue
    if (logTimeMs - account.recalledAtMs < RECALL_AGAIN_MS) continue
    account.recalledAtMs = logTimeMs
    recalled.push(guard)
  }
  return recalled
}

/**
 * What one guard may have in flight while others want credit too: an equal share of what is not spent.
 * Held credit is nobody's to share.
 */
export function fairShare(counter: Counter, limit: bigint, held: bigint): bigint {
  let guards = 0n
  for (const account of counter.accounts.values()) {
    if (!account.held && (outstanding(account) > 0n || account.want > 0n || account.need > 0n))
      guards++
  }
  const left = limit - counter.spent - held
  return left <= 0n ? 0n : left / max(1n, guards)
}

/** Whether more credit may still come to an account in this window, or none will. */
export function accountState(counter: Counter, account: GuardAccount, limit: bigint): AccountState {
  const missing = max(account.need, 1n) - idle(account)
  if (missing <= 0n) return 'open'
  const available = lendable(counter, limit)
  if (missing <= available) return 'open'
  return mayBeServed(counter, account, missing, available) ? 'waiting' : 'exhausted'
}
