import { NEW_ROW, type Row, type StateChange, type StateRecord, Table } from '../table.ts'
import type { ForecastWindow } from './plan.ts'
import { emptyPool, type ForecastPool } from './pool.ts'

type PoolRow = Row & { readonly pool: ForecastPool }

/** What scopes with windows of one kind taught each other, by kind. */
export class PoolTable {
  readonly #table = new Table<PoolRow>('forecast-pool', {
    encode: ({ order, pool }) => ({ order, pool }),
    decode: ({ order, pool }: Pick<PoolRow, 'order' | 'pool'>, key) => ({
      key,
      order,
      pool,
      ...NEW_ROW,
    }),
  })
  /** For kinds that have taught nothing yet. */
  readonly #empty = emptyPool()

  get prefix(): string {
    return this.#table.prefix
  }

  /** To be read. */
  of(window: ForecastWindow): ForecastPool {
    return this.#table.get(window)?.pool ?? this.#empty
  }

  /** To be changed. */
  touch(window: ForecastWindow): ForecastPool {
    let row = this.#table.get(window)
    if (row) this.#table.touch(row)
    else {
      row = { key: window, order: this.#table.size, pool: emptyPool(), ...NEW_ROW }
      this.#table.set(row)
    }
    return row.pool
  }

  takeChanges(): StateChange[] {
    return this.#table.takeChanges()
  }

  restore(records: readonly StateRecord[]): void {
    this.#table.restore(records)
  }
}
