import type { Zone } from '@tokenfuse/protocol'
import { NEW_ROW, type StateChange, type StateRecord, Table } from '../table.ts'
import { windowAt } from '../windows.ts'
import { advance, advanceDueMs } from './advance.ts'
import { type Forecast, forecastAt, type ForecastQuestion } from './forecast.ts'
import { beginHistory, type ForecastHistory, recordUsage } from './history.ts'
import { DueRows } from './due-rows.ts'
import { type ForecastWindow, planOf, type Span, type SpanAt } from './plan.ts'
import { PoolTable } from './pool-table.ts'
import { type BinJson, emptyBin, type OpenBin, type ScopeJson, type ScopeRow } from './scope-row.ts'
import { binAt } from './usage-bins.ts'

/** Scopes with a forecast; each takes some 10 KB. */
const MAX_SCOPES = 4096
/** Histories that one tick brings up to date at most, at 0.1 to 0.4 ms each; the others follow with the next. */
const MAX_ADVANCED = 500

/** What has to be known of a budget whose windows are forecast. */
export type ForecastBudget = { readonly id: string; readonly window: ForecastWindow }

/**
 * The forecasts of all scopes of all budgets with calendar windows. What is used is booked by the governor's calls;
 * time passes with calls and with ticks. State is bounded: every budget has an equal share of the scopes, and those
 * that come when it is taken have no forecast.
 */
export class ScopeForecasts {
  readonly #rows: Table<ScopeRow>
  readonly #bins: Table<OpenBin>
  readonly #pools = new PoolTable()
  readonly #due = new DueRows()
  readonly #sizes = new Map<string, number>()
  readonly #nextOrder: () => number
  readonly #maxScopes: number
  #maxOfBudget: number
  #zone: Zone = { name: 'UTC', offsets: [{ fromMs: 0, offsetMs: 0 }] }
  #none: OpenBin = emptyBin('', 0)
  /** Scopes that could not be remembered, each counted whenever it was tried. */
  refused = 0

  constructor({ nextOrder, maxScopes }: { nextOrder: () => number; maxScopes?: number }) {
    this.#nextOrder = nextOrder
    this.#maxScopes = maxScopes ?? MAX_SCOPES
    this.#maxOfBudget = this.#maxScopes
    this.#rows = new Table('forecast', {
      encode: ({ order, budget, scope, history }): ScopeJson => ({ order, budget, scope, history }),
      decode: (json: ScopeJson, key) => ({ ...json, key, bin: emptyBin(key, 0), ...NEW_ROW }),
    })
    this.#bins = new Table('forecast-bin', {
      encode: ({ order, fromMs, untilMs, amount, lookMs }): BinJson => ({
        order,
        fromMs,
        untilMs,
        amount,
        lookMs,
      }),
      decode: (json: BinJson, key) => ({ ...emptyBin(key, json.order), ...json }),
    })
  }

  /** Another policy is in force. @param budgets how many have calendar windows */
  policyChanged(zone: Zone, budgets: number): void {
    this.#zone = zone
    this.#maxOfBudget = Math.max(1, Math.floor(this.#maxScopes / Math.max(1, budgets)))
    this.#roomChanged()
  }

  /**
   * The bin in which a call of a scope counts, made where there is none. Whoever keeps it asks again once it `isGone`.
   * @returns one that counts nothing where there is no room for a history, until there is
   */
  binOf(budget: ForecastBudget, scope: string, timeMs: number): OpenBin {
    const key = `${budget.id}|${scope}`
    const known = this.#bins.get(key)
    if (known) return known
    const size = this.#sizes.get(budget.id) ?? 0
    if (size >= this.#maxOfBudget || this.#rows.size >= this.#maxScopes) {
      this.refused++
      return this.#none
    }
    return this.#make(budget, scope, key, timeMs)
  }

  #make({ id: budget, window }: ForecastBudget, scope: string, key: string, timeMs: number) {
    const order = this.#nextOrder()
    const bin = emptyBin(key, order)
    const history = beginHistory(window, timeMs, this.#spanAt(window))
    const row: ScopeRow = { key, order, budget, scope, history, bin, ...NEW_ROW }
    bin.row = row
    this.#rows.set(row)
    this.#bins.set(bin)
    this.#add(row)
    this.#openBin(bin, row, timeMs)
    return bin
  }

  #add(row: ScopeRow): void {
    this.#sizes.set(row.budget, (this.#sizes.get(row.budget) ?? 0) + 1)
    row.bin.dueMs = advanceDueMs(row.history)
    this.#due.add(row)
  }

  #delete(row: ScopeRow): void {
    this.#due.delete(row)
    this.#rows.delete(row)
    this.#bins.delete(row.bin)
    this.#sizes.set(row.budget, (this.#sizes.get(row.budget) ?? 1) - 1)
    this.#roomChanged()
  }

  /** Those that found no room ask again. */
  #roomChanged(): void {
    this.#none.isGone = true
    this.#none = emptyBin('', 0)
  }

  /** Books what a call used. @param used in forecast units; what no call uses counts as the most that is exact */
  record(bin: OpenBin, timeMs: number, logTimeMs: number, used: number): void {
    const { row } = bin
    if (row === null || used === 0) return
    const amount = Math.min(used, Number.MAX_SAFE_INTEGER)
    if (logTimeMs >= bin.dueMs) this.#advance(row, logTimeMs)
    if (row.isGone) return
    if (timeMs < bin.fromMs) {
      if (recordUsage(row.history, timeMs, amount)) this.#rows.touch(row)
      return
    }
    if (timeMs >= bin.untilMs) this.#openBin(bin, row, timeMs)
    bin.amount += amount
    this.#bins.touch(bin)
  }

  /** The forecast was looked at; it will be again from then on. */
  looked(bin: OpenBin, nextMs: number): void {
    bin.lookMs = nextMs
    this.#bins.touch(bin)
  }

  #openBin(bin: OpenBin, row: ScopeRow, timeMs: number): void {
    this.#closeBin(bin, row)
    const { binMs } = planOf(row.history.window)
    const { phaseMs } = row.history.bins
    bin.fromMs = binAt(planOf(row.history.window), phaseMs, timeMs) * binMs + phaseMs
    bin.untilMs = bin.fromMs + binMs
    this.#bins.touch(bin)
  }

  /** Writes an open bin down in its history. */
  #closeBin(bin: OpenBin, row: ScopeRow): void {
    if (bin.amount === 0) return
    recordUsage(row.history, bin.fromMs, bin.amount)
    bin.amount = 0
    this.#bins.touch(bin)
    this.#rows.touch(row)
  }

  #advance(row: ScopeRow, nowMs: number): void {
    const { history, bin } = row
    this.#closeBin(bin, row)
    const pool = this.#pools.touch(history.window)
    if (!advance(history, pool, nowMs, this.#spanAt(history.window))) return
    this.#rows.touch(row)
    this.#due.delete(row)
    bin.dueMs = advanceDueMs(history)
    this.#due.add(row)
    if (isForgotten(history, nowMs)) this.#delete(row)
  }

  /** Lets time pass for histories that are due, some at a time. */
  tick(logTimeMs: number): void {
    for (const row of this.#due.take(logTimeMs, MAX_ADVANCED)) this.#advance(row, logTimeMs)
  }

  /** Log time from which on a tick would do something; infinite for never. */
  dueMs(): number {
    return this.#due.nextMs()
  }

  /** Forgets everything of some budgets. */
  forgetBudgets(isForgottenBudget: (budget: string) => boolean): void {
    for (const row of [...this.#rows.values()]) if (isForgottenBudget(row.budget)) this.#delete(row)
  }

  /** Whether a scope is remembered, so that it will have a forecast once its history suffices. */
  has(budget: string, scope: string): boolean {
    return this.#rows.get(`${budget}|${scope}`) !== undefined
  }

  /** The forecast of a scope's window of now; `null` where history is insufficient. Changes nothing. */
  forecast(budget: string, scope: string, question: ForecastQuestion): Forecast | null {
    const row = this.#rows.get(`${budget}|${scope}`)
    if (!row) return null
    const { window } = row.history
    const history = withOpenBin(row)
    return forecastAt(history, this.#pools.of(window), question, this.#spanAt(window))
  }

  /** Those of one budget, in the order in which they were first seen. */
  historiesOf(budget: string): ForecastHistory[] {
    const found: ForecastHistory[] = []
    for (const row of this.#rows.values()) if (row.budget === budget) found.push(row.history)
    return found
  }

  #spanAt(window: ForecastWindow): SpanAt {
    return (timeMs) => {
      const { fromMs, untilMs } = windowAt(window, timeMs, this.#zone)
      return { fromMs, untilMs: untilMs ?? Infinity } satisfies Span
    }
  }

  takeChanges(): StateChange[] {
    return [...this.#rows.takeChanges(), ...this.#bins.takeChanges(), ...this.#pools.takeChanges()]
  }

  /** Fills empty forecasts from what `takeChanges` gave; `policyChanged` comes before. */
  restore(of: (prefix: string) => readonly StateRecord[]): void {
    this.#bins.restore(of(this.#bins.prefix))
    this.#rows.restore(of(this.#rows.prefix))
    this.#pools.restore(of(this.#pools.prefix))
    for (const row of this.#rows.values()) {
      const bin = this.#bins.get(row.key)
      if (!bin) throw new Error(`there is a forecast of "${row.key}" without what it used last`)
      bin.row = row
      row.bin = bin
      this.#add(row)
    }
  }
}

/** A copy of a history that holds what its open bin does, too. */
function withOpenBin({ history, bin }: ScopeRow): ForecastHistory {
  if (bin.amount === 0) return history
  const { bins } = history
  const copy = { ...history, bins: { ...bins, amounts: [...bins.amounts] } }
  recordUsage(copy, bin.fromMs, bin.amount)
  return copy
}

/** Whether nothing that is remembered was used. */
function isForgotten({ bins, window }: ForecastHistory, nowMs: number): boolean {
  return binAt(planOf(window), bins.phaseMs, nowMs) - bins.newest >= bins.amounts.length
}
