import { NEW_ROW, type Row } from '../table.ts'
import type { ForecastHistory } from './history.ts'

/** What one scope of a budget used, and how its forecasts did. `key` names budget and scope. */
export type ScopeRow = Row & {
  readonly budget: string
  readonly scope: string
  readonly history: ForecastHistory
  bin: OpenBin
}

/**
 * The time span that a scope's next call most likely counts in, and what was used in it. It stands apart from the
 * history, so that a call changes a few bytes of a snapshot and not the whole of it.
 */
export type OpenBin = Row & {
  fromMs: number
  untilMs: number
  /** In forecast units; not in the history yet. */
  amount: number
  /** Log time from which on a decision may come of the forecast. */
  lookMs: number
  /** Log time from which on the history has something to do. */
  dueMs: number
  /** `null` only while a snapshot is read. */
  row: ScopeRow | null
}

export function emptyBin(key: string, order: number): OpenBin {
  return {
    key,
    order,
    fromMs: 0,
    untilMs: 0,
    amount: 0,
    lookMs: 0,
    dueMs: 0,
    row: null,
    ...NEW_ROW,
  }
}

/** What a snapshot keeps of a scope; its open bin stands beside it. */
export type ScopeJson = Pick<ScopeRow, 'order' | 'budget' | 'scope' | 'history'>
export type BinJson = Pick<OpenBin, 'order' | 'fromMs' | 'untilMs' | 'amount' | 'lookMs'>
