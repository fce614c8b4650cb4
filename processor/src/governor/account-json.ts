import { GuardAccount } from './account.ts'
import { amountFrom } from './amount.ts'
import type { NumberRows } from './number-rows.ts'

const AMOUNT_NAMES = [
  'lent',
  'returned',
  'used',
  'reserved',
  'seen',
  'charged',
  'need',
  'want',
] as const
const OTHER_NAMES = [
  'guard',
  'waitingSince',
  'usedAtMs',
  'held',
  'recalledAtMs',
  'rank',
  'told',
] as const

/** An account as a snapshot has it. */
export type AccountJson = Readonly<Record<(typeof AMOUNT_NAMES)[number], string>> &
  Readonly<Pick<GuardAccount, (typeof OTHER_NAMES)[number]>>

export function encodeAccount(account: GuardAccount): AccountJson {
  const amounts = AMOUNT_NAMES.map((name) => [name, String(account[name])])
  const others = OTHER_NAMES.map((name) => [name, account[name]])
  return Object.fromEntries([...others, ...amounts]) as AccountJson
}

export function decodeAccount(json: AccountJson, rows: NumberRows): GuardAccount {
  const { waitingSince, usedAtMs, held, recalledAtMs, rank, told } = json
  const account = new GuardAccount(json.guard, rows)
  for (const name of AMOUNT_NAMES) account[name] = amountFrom(json[name])
  return Object.assign(account, { waitingSince, usedAtMs, held, recalledAtMs, rank, told })
}
