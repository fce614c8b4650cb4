import type { ScopeRow } from './scope-row.ts'

/** Scopes by the time at which their histories are due; windows share their ends, so these are few. */
export class DueRows {
  readonly #byTime = new Map<number, Set<ScopeRow>>()

  add(row: ScopeRow): void {
    const { dueMs } = row.bin
    const rows = this.#byTime.get(dueMs)
    if (rows) rows.add(row)
    else this.#byTime.set(dueMs, new Set([row]))
  }

  /** To be called before the row's time changes. */
  delete(row: ScopeRow): void {
    const { dueMs } = row.bin
    const rows = this.#byTime.get(dueMs)
    rows?.delete(row)
    if (rows?.size === 0) this.#byTime.delete(dueMs)
  }

  nextMs(): number {
    let next = Infinity
    for (const dueMs of this.#byTime.keys()) next = Math.min(next, dueMs)
    return next
  }

  /** So many of those due by a time, the earliest due first, and of these in the order in which they were made. */
  take(nowMs: number, count: number): ScopeRow[] {
    const times = [...this.#byTime.keys()].filter((dueMs) => dueMs <= nowMs).sort((a, b) => a - b)
    const taken: ScopeRow[] = []
    for (const dueMs of times) {
      if (taken.length >= count) break
      const rows = [...(this.#byTime.get(dueMs) ?? [])].sort((a, b) => a.order - b.order)
      taken.push(...rows.slice(0, count - taken.length))
    }
    return taken
  }
}
