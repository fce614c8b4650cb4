import type { Decision } from '@tokenfuse/protocol'
import { plainCodec, type Row, type StateChange, type StateRecord, Table } from '../table.ts'

/** A decision that a forecast has led to. `key` names budget and scope. */
export type ForecastDecision = Row & {
  readonly budget: string
  readonly scope: string
  readonly windowFromMs: number
  readonly windowUntilMs: number
  readonly decision: Decision
  /** Log time from which on the forecast is looked at again. */
  lookMs: number
  /** Since when the probability has been so low that it is to end; `null` while it is not. */
  lowSinceMs: number | null
}

/** Those in force; at most one for each scope with a forecast. */
export class ForecastDecisions {
  readonly #rows = new Table<ForecastDecision>('forecast-decision', plainCodec())

  get prefix(): string {
    return this.#rows.prefix
  }

  find(budget: string, scope: string): ForecastDecision | undefined {
    return this.#rows.get(decisionRowKey(budget, scope))
  }

  set(row: ForecastDecision): void {
    this.#rows.set(row)
  }

  delete(row: ForecastDecision): void {
    this.#rows.delete(row)
  }

  looked(row: ForecastDecision, nextMs: number, lowSinceMs: number | null): void {
    row.lookMs = nextMs
    row.lowSinceMs = lowSinceMs
    this.#rows.touch(row)
  }

  /** In the order in which they were made. */
  inForce(): ForecastDecision[] {
    return [...this.#rows.values()]
  }

  /** Log time at which the next one is looked at or ends with its window; infinite for never. */
  dueMs(): number {
    let due = Infinity
    for (const { lookMs, windowUntilMs } of this.#rows.values()) {
      due = Math.min(due, lookMs, windowUntilMs)
    }
    return due
  }

  takeChanges(): StateChange[] {
    return this.#rows.takeChanges()
  }

  restore(records: readonly StateRecord[]): void {
    this.#rows.restore(records)
  }
}

export const decisionRowKey = (budget: string, scope: string) => `${budget}|${scope}`
