import { type AccountState, type GuardAccount, idle, outstanding, unseen } from './account.ts'
import { type Amount, max, min, minus, plus, shareOf } from './amount.ts'
import { type Counter, isWanted, lendable } from './counter.ts'
import { keptFrom } from './scarcity.ts'

const RECALL_AGAIN_MS = 5_000

/** What lending did: whose account changed, and whose idle credit is wanted back. */
export type LendingOutcome = {
  readonly granted: readonly GuardAccount[]
  readonly recalled: readonly GuardAccount[]
}

/** What there is to serve guards with. */
type Supply = {
  /** Can be lent now. */
  available: Amount
  /**
   * May come back from guards that still speak: of what is in flight a part does; what was used will not, it only
   * waits to be seen.
   */
  mayReturn: Amount
}

function supplyOf(counter: Counter, limit: Amount): Supply {
  let mayReturn: Amount = 0
  for (const account of counter.accounts.all()) {
    if (!account.held) mayReturn = plus(mayReturn, returnable(account))
  }
  return { available: lendable(counter, limit), mayReturn }
}

const returnable = (account: GuardAccount) => minus(outstanding(account), unseen(account))

/**
 * Serves the guards that want credit on a counter. What waiting calls need comes first: those that matter most, then
 * longest waiting first, and whole, since a part of it would help nobody. Then what is left is split evenly among what
 * more is wanted. Near the limit a part is kept for calls that matter more, where there are any. Where a need cannot be
 * met, idle credit of all others is recalled.
 */
export function lend(
  counter: Counter,
  limit: Amount,
  offset: number,
  logTimeMs: number,
): LendingOutcome {
  const granted = new Set<GuardAccount>()
  const supply = supplyOf(counter, limit)
  const queue = waiting(counter)
  let short: GuardAccount | null = null
  for (const account of queue) {
    const missing = minus(account.need, idle(account))
    if (missing <= 0) continue
    const kept = keptFrom(counter, account.rank, limit)
    if (plus(missing, kept) > supply.available) {
      // Nothing overtakes a call that may still be served: small ones would starve it.
      if (!mayBeServed(account, plus(missing, kept), supply)) continue
      short = account
      break
    }
    grant(account, missing, supply)
    // Served: its next call waits behind those that wait already.
    account.waitingSince = offset
    granted.add(account)
  }
  if (!short) for (const account of splitRest(counter, limit, supply)) granted.add(account)
  counter.sumOutstanding()
  return { granted: [...granted], recalled: short ? recall(counter, short, logTimeMs) : [] }
}

/** Whether the need can be met once calls in flight are done and idle credit is back. */
function mayBeServed(account: GuardAccount, missing: Amount, supply: Supply): boolean {
  const mayCome = plus(supply.available, supply.mayReturn)
  // Of its own, idle credit is in `missing` already.
  return missing <= (account.held ? mayCome : minus(mayCome, idle(account)))
}

function waiting(counter: Counter): GuardAccount[] {
  return counter.accounts
    .all()
    .filter((account) => account.need > 0 && !account.held)
    .sort((a, b) => a.rank - b.rank || a.waitingSince - b.waitingSince)
}

type Wanting = { readonly account: GuardAccount; readonly more: Amount }

function splitRest(counter: Counter, limit: Amount, supply: Supply): GuardAccount[] {
  const wanting = counter.accounts
    .all()
    .map((account): Wanting => ({ account, more: minus(account.want, idle(account)) }))
    .filter(({ account, more }) => more > 0 && !account.held)
    .sort((a, b) => compare(a.more, b.more) || compare(a.account.guard, b.account.guard))
  const ranks = [...new Set(wanting.map(({ account }) => account.rank))].sort((a, b) => a - b)
  return ranks.flatMap((rank) => {
    const ofRank = wanting.filter(({ account }) => account.rank === rank)
    return splitEvenly(ofRank, keptFrom(counter, rank, limit), supply)
  })
}

/** Max-min fair: each gets what it wants up to an equal share, and what some leave goes to the others. */
function splitEvenly(wanting: readonly Wanting[], kept: Amount, supply: Supply): GuardAccount[] {
  const granted: GuardAccount[] = []
  for (const [index, { account, more }] of wanting.entries()) {
    const available = max(minus(supply.available, kept), 0)
    const amount = min(more, shareOf(available, wanting.length - index))
    if (amount <= 0) continue
    grant(account, amount, supply)
    granted.push(account)
  }
  return granted
}

const compare = <Value extends Amount | string>(a: Value, b: Value) => (a < b ? -1 : a > b ? 1 : 0)

function grant(account: GuardAccount, amount: Amount, supply: Supply): void {
  const before = returnable(account)
  account.lent = plus(account.lent, amount)
  supply.available = minus(supply.available, amount)
  supply.mayReturn = plus(supply.mayReturn, minus(returnable(account), before))
}

/**
 * Guards whose credit would help the one that waits longest: what is idle, and what becomes so when their calls end. A
 * guard that was asked gives back for a while by itself, so it is not asked again before that.
 */
function recall(counter: Counter, short: GuardAccount, logTimeMs: number): GuardAccount[] {
  const recalled: GuardAccount[] = []
  for (const account of counter.accounts.all()) {
    if (account === short || account.held || outstanding(account) === 0) continue
    if (logTimeMs - account.recalledAtMs < RECALL_AGAIN_MS) continue
    account.recalledAtMs = logTimeMs
    recalled.push(account)
  }
  return recalled
}

/**
 * Notes what each guard's chances are now.
 * @returns the accounts whose guards are to be told: their chances changed, and they wait or may hope again
 */
export function noteChances(counter: Counter, limit: Amount): GuardAccount[] {
  const supply = supplyOf(counter, limit)
  const toTell: GuardAccount[] = []
  for (const account of counter.accounts.all()) {
    if (account.held) continue
    const chances = chancesOf(account, keptFrom(counter, account.rank, limit), supply)
    if (chances === account.told) continue
    account.told = chances
    if (account.need > 0 || chances === 'open') toTell.push(account)
  }
  counter.isWanted = isWanted(counter)
  return toTell
}

/** Whether more credit may still come to an account in this window, or none will. */
export function accountState(counter: Counter, account: GuardAccount): AccountState {
  const { limit } = counter
  return chancesOf(account, keptFrom(counter, account.rank, limit), supplyOf(counter, limit))
}

function chancesOf(account: GuardAccount, kept: Amount, supply: Supply): AccountState {
  const missing = minus(max(account.need, 1), idle(account))
  if (missing <= 0 || plus(missing, kept) <= supply.available) return 'open'
  return mayBeServed(account, plus(missing, kept), supply) ? 'waiting' : 'exhausted'
}

/**
 * Whether a usage event may have changed what some guard has, wants or may hope for. Where nobody wants anything,
 * everybody was told so, and there is credit left, it has not.
 */
export function mayLend(counter: Counter, account: GuardAccount | null): boolean {
  if (counter.isWanted || lendable(counter, counter.limit) < 1) return true
  return account !== null && account.want > 0 && account.want > idle(account)
}

/**
 * What one guard may have in flight while others want credit too: an equal share of what is not spent.
 * Held credit is nobody's to share.
 */
export function fairShare(counter: Counter, held: Amount): Amount {
  let guards = 0
  for (const account of counter.accounts.all()) {
    if (!account.held && (outstanding(account) > 0 || account.want > 0 || account.need > 0))
      guards++
  }
  const left = minus(minus(counter.limit, counter.spent), held)
  return left <= 0 ? 0 : shareOf(left, Math.max(1, guards))
}
