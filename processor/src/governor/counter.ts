import type { BudgetUnit, Decision } from '@tokenfuse/protocol'
import { type GuardAccount, outstanding, unseen } from './account.ts'
import type { Codec, Row } from './table.ts'

/** What one budget has counted in one scope and window, and the credit lent on it. */
export type Counter = Row & {
  readonly budget: string
  readonly scope: string
  readonly unit: BudgetUnit
  readonly fromMs: number
  readonly untilMs: number | null
  spent: bigint
  /** Part of `spent` that no guard's credit covered. */
  unguarded: bigint
  /** Part of `spent` that was charged without having been seen. */
  unconfirmed: bigint
  readonly accounts: Map<string, GuardAccount>
  /** The decision in force, or null below every threshold. */
  decision: Decision | null
}

export type CounterKey = {
  readonly budget: string
  readonly scope: string
  readonly fromMs: number
}

export function counterKey({ budget, scope, fromMs }: CounterKey): string {
  return `${budget}|${fromMs}|${scope}`
}

/** Credit that guards may still spend. */
export function outstandingOf(counter: Counter): bigint {
  let sum = 0n
  for (const account of counter.accounts.values()) if (!account.held) sum += outstanding(account)
  return sum
}

/** Credit of guards that fell silent. */
export function heldOf(counter: Counter): bigint {
  let sum = 0n
  for (const account of counter.accounts.values()) if (account.held) sum += outstanding(account)
  return sum
}

/** What guards say they used and the log has not shown: the measure of lost or late spans. */
export function unseenOf(counter: Counter): bigint {
  let sum = 0n
  for (const account of counter.accounts.values()) sum += unseen(account)
  return sum
}

/** What can be lent: spent + outstanding + held + this never passes the limit. May be negative. */
export function lendable(counter: Counter, limit: bigint): bigint {
  let gone = counter.spent
  for (const account of counter.accounts.values()) gone += outstanding(account)
  return limit - gone
}

type AccountJson = {
  readonly [Key in keyof GuardAccount]: GuardAccount[Key] extends bigint
    ? string
    : GuardAccount[Key]
}
type CounterJson = Omit<Counter, 'spent' | 'unguarded' | 'unconfirmed' | 'accounts'> & {
  readonly spent: string
  readonly unguarded: string
  readonly unconfirmed: string
  readonly accounts: readonly (readonly [string, AccountJson])[]
}

export const counterCodec: Codec<Counter> = {
  encode: (counter): CounterJson => ({
    ...counter,
    spent: String(counter.spent),
    unguarded: String(counter.unguarded),
    unconfirmed: String(counter.unconfirmed),
    accounts: [...counter.accounts].map(
      ([guard, account]) => [guard, encodeAccount(account)] as const,
    ),
  }),
  decode: (json: CounterJson) => ({
    ...json,
    spent: BigInt(json.spent),
    unguarded: BigInt(json.unguarded),
    unconfirmed: BigInt(json.unconfirmed),
    accounts: new Map(json.accounts.map(([guard, account]) => [guard, decodeAccount(account)])),
  }),
}

function encodeAccount(account: GuardAccount): AccountJson {
  return {
    ...account,
    lent: String(account.lent),
    returned: String(account.returned),
    used: String(account.used),
    reserved: String(account.reserved),
    seen: String(account.seen),
    charged: String(account.charged),
    need: String(account.need),
    want: String(account.want),
  }
}

function decodeAccount(json: AccountJson): GuardAccount {
  return {
    ...json,
    lent: BigInt(json.lent),
    returned: BigInt(json.returned),
    used: BigInt(json.used),
    reserved: BigInt(json.reserved),
    seen: BigInt(json.seen),
    charged: BigInt(json.charged),
    need: BigInt(json.need),
    want: BigInt(json.want),
  }
}
