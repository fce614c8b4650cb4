import type { AccountReport } from '@tokenfuse/protocol'

/**
 * The credit of one guard on one counter, in the budget's unit. Everything but `reserved`, `need` and `want` is a
 * sum since the account was opened and never falls, but for `charged`, which what is seen replaces.
 */
export type GuardAccount = {
  lent: bigint
  returned: bigint
  /** What the guard says its finished calls cost. */
  used: bigint
  /** What the guard says its calls in flight may cost at most. */
  reserved: bigint
  /** What its usage events cost. Only this moves money to the counter's `spent`. */
  seen: bigint
  /** Booked as spent without having been seen; what is seen later takes its place. */
  charged: bigint
  /** Idle credit with which its next waiting call could run; 0 where none waits. */
  need: bigint
  /** Idle credit that it would like in all. */
  want: bigint
  /** Log offset since which a call waits, so that the longest waiting is served first; 0 where none does. */
  waitingSince: number
  /** Log time of the last change of `used`. */
  usedAtMs: number
  /** The guard fell silent: the credit is neither lent again nor the guard's to spend. */
  held: boolean
  /** Log time at which credit was last asked back. */
  recalledAtMs: number
  /** What the guard was last told of its chances. */
  told: AccountState
}

/** `waiting`: more may come, from calls in flight or recalled credit; `exhausted`: none will in this window. */
export type AccountState = 'open' | 'waiting' | 'exhausted'

export function openAccount(): GuardAccount {
  return {
    lent: 0n,
    returned: 0n,
    used: 0n,
    reserved: 0n,
    seen: 0n,
    charged: 0n,
    need: 0n,
    want: 0n,
    waitingSince: 0,
    usedAtMs: 0,
    held: false,
    recalledAtMs: 0,
    told: 'open',
  }
}

/** Lent and neither returned nor spent: what the guard may still turn into spend. Never negative. */
export function outstanding(account: GuardAccount): bigint {
  return positive(account.lent - account.returned - account.seen - account.charged)
}

/** Lent and neither returned, nor spent, nor reserved: what the guard could give back. Never negative. */
export function idle(account: GuardAccount): bigint {
  const gone = max(account.used, account.seen + account.charged)
  return positive(account.lent - account.returned - gone - account.reserved)
}

/** What the guard says it used and no usage event has shown yet. */
export function unseen(account: GuardAccount): bigint {
  return positive(account.used - account.seen - account.charged)
}

/** Takes a report in. Sums only rise, so that a repeated or overtaken report changes nothing. */
export function applyReport(
  account: GuardAccount,
  report: AccountReport,
  offset: number,
  logTimeMs: number,
): void {
  const used = BigInt(report.used)
  if (used > account.used) {
    account.used = used
    account.usedAtMs = logTimeMs
  }
  account.reserved = BigInt(report.reserved)
  account.need = BigInt(report.need)
  account.want = max(BigInt(report.want), account.need)
  // A guard cannot give back what it was never lent.
  account.returned = min(max(account.returned, BigInt(report.returned)), account.lent)
  account.held = false
  if (account.need === 0n) account.waitingSince = 0
  else if (account.waitingSince === 0) account.waitingSince = offset
}

/**
 * Books a usage event of the guard.
 * @returns by how much the counter's `spent` rises: less what was charged for it before it was seen
 */
export function applySeen(account: GuardAccount, amount: bigint): bigint {
  account.seen += amount
  const replaced = min(account.charged, amount)
  account.charged -= replaced
  return amount - replaced
}

/** Books what is still outstanding as spent. @returns by how much the counter's `spent` rises */
export function charge(account: GuardAccount, amount: bigint): bigint {
  account.charged += amount
  return amount
}

/** What is outstanding is the guard's no more. */
export function release(account: GuardAccount): void {
  account.returned += outstanding(account)
}

/** The guard is gone: nothing is in flight, nothing is wanted. */
export function closeAccount(account: GuardAccount): void {
  account.reserved = 0n
  account.need = 0n
  account.want = 0n
  account.waitingSince = 0
  account.held = false
  release(account)
}

const positive = (amount: bigint) => (amount > 0n ? amount : 0n)
export const min = (a: bigint, b: bigint): bigint => (a < b ? a : b)
export const max = (a: bigint, b: bigint): bigint => (a > b ? a : b)
