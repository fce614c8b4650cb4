import type { Decision } from '@tokenfuse/protocol'
import { type AccountJson, decodeAccount, encodeAccount } from './account-json.ts'
import { amountFrom } from './amount.ts'
import { type BudgetWindow, type Counter, isWanted } from './counter.ts'
import type { NumberRows } from './number-rows.ts'

/** A counter as a snapshot has it. */
export type CounterJson = Pick<BudgetWindow, 'budget' | 'fromMs' | 'untilMs'> & {
  readonly scope: string
  readonly order: number
  readonly spent: string
  readonly unguarded: string
  readonly unconfirmed: string
  readonly accounts: readonly AccountJson[]
  readonly decision: Decision | null
  readonly steps?: readonly number[]
  readonly ranks: number
}

export function encodeCounter(counter: Counter): CounterJson {
  const { window, scope, order, spent, unguarded, unconfirmed, accounts, decision, steps, ranks } =
    counter
  return {
    budget: window.budget,
    fromMs: window.fromMs,
    untilMs: window.untilMs,
    scope,
    order,
    spent: String(spent),
    unguarded: String(unguarded),
    unconfirmed: String(unconfirmed),
    accounts: accounts.all().map(encodeAccount),
    decision,
    ranks,
    ...(steps && { steps: [...steps] }),
  }
}

/** Fills a new counter. */
export function decodeCounter(counter: Counter, json: CounterJson, rows: NumberRows): void {
  counter.spent = amountFrom(json.spent)
  counter.unguarded = amountFrom(json.unguarded)
  counter.unconfirmed = amountFrom(json.unconfirmed)
  counter.decision = json.decision
  counter.ranks = json.ranks
  if (json.steps) counter.steps = new Set(json.steps)
  for (const account of json.accounts) counter.accounts.add(decodeAccount(account, rows))
  counter.sumOutstanding()
  counter.isWanted = isWanted(counter)
}
