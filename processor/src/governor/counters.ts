import { scopeKeyOf, type Zone } from '@tokenfuse/protocol'
import { accountRows, GuardAccount } from './account.ts'
import { type Amount, plus } from './amount.ts'
import { type ActiveBudget, warnFrom } from './budgets.ts'
import { CountedSteps } from './counted-steps.ts'
import {
  type BudgetWindow,
  Counter,
  type CounterKey,
  counterKey,
  counterRows,
  isActive,
} from './counter.ts'
import { type CounterJson, decodeCounter, encodeCounter } from './counter-json.ts'
import { HORIZON_MS } from './id-generations.ts'
import type { Scope } from './scopes.ts'
import type { StateChange, StateRecord } from './table.ts'
import { type Window, windowAt } from './windows.ts'

const MAX_COUNTERS = 1_000_000
/** Counters with accounts that are passed over in the search for one that may go. */
const MAX_PASSED_OVER = 16

export type CountersOptions = {
  readonly nextOrder: () => number
  /** What overrides add to the limit of a scope. */
  readonly addedTo: (budget: string, scope: string) => Amount
  /** Told of each counter that is forgotten. */
  readonly deleted?: (counter: Counter) => void
  readonly maxCounters?: number
}

/** All counters, by budget and window. */
export class Counters {
  readonly prefix = 'counter/'
  readonly #options: CountersOptions
  readonly #windows = new Map<string, BudgetWindow>()
  readonly #counterRows = counterRows()
  readonly #accountRows = accountRows()
  #size = 0
  #changed: Counter[] = []
  readonly #deleted = new Set<string>()
  /** Those on which a decision is in force. */
  readonly #decided = new Set<Counter>()
  /** Those on which credit is out or asked for, and maybe some more. */
  readonly #active = new Set<Counter>()
  readonly steps = new CountedSteps()
  evicted = 0

  constructor(options: CountersOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#size
  }

  /**
   * The counter that a call counts in, made where there is none.
   * @param scope the call's own, by the dimensions of the budget
   */
  forCall(budget: ActiveBudget, scope: Scope, timeMs: number, zone: Zone): Counter {
    const window = this.#windowAt(budget, timeMs, zone)
    for (let counter = scope.counter; counter !== null; counter = counter.next) {
      if (counter.window === window && !counter.isGone) return counter
    }
    const names = scope.names(budget.per.length)
    const key = scopeKeyOf(budget.per.map((dimension, at) => [dimension, names[at] ?? '']))
    const counter = window.counters.get(key) ?? this.#make(window, budget, key)
    chain(scope, counter)
    return counter
  }

  /** The counter of a scope in the window of a time, made where there is none. */
  forScope(budget: ActiveBudget, scope: string, timeMs: number, zone: Zone): Counter {
    const window = this.#windowAt(budget, timeMs, zone)
    return window.counters.get(scope) ?? this.#make(window, budget, scope)
  }

  openAccount(counter: Counter, guard: string): GuardAccount {
    const account = new GuardAccount(guard, this.#accountRows)
    counter.accounts.add(account)
    return account
  }

  get({ budget, scope, fromMs }: CounterKey): Counter | undefined {
    return this.#windows.get(windowKey(budget, fromMs))?.counters.get(scope)
  }

  /** A scope's counters in all windows that are kept. */
  ofScope(budget: string, scope: string): Counter[] {
    return [...this.#windows.values()].flatMap((window) => {
      return (window.budget === budget && window.counters.get(scope)) || []
    })
  }

  *values(): Generator<Counter> {
    for (const { counters } of this.#windows.values()) yield* counters.values()
  }

  /** Those that meet a condition, in the order in which they were made. */
  inOrder(condition: (counter: Counter) => boolean): Counter[] {
    const found: Counter[] = []
    for (const counter of this.values()) if (condition(counter)) found.push(counter)
    return inOrder(found)
  }

  /** Those on which a decision is in force, in the order in which they were made. */
  decided(): Counter[] {
    return inOrder(this.#decided)
  }

  /** Those on which credit is out or asked for, in the order in which they were made. */
  active(): Counter[] {
    return inOrder(this.#active)
  }

  touch(counter: Counter): void {
    if (counter.isChanged) return
    counter.isChanged = true
    this.#changed.push(counter)
  }

  /** To be called when a counter's decision or accounts have changed. */
  classify(counter: Counter): void {
    if (counter.decision && !counter.isGone) this.#decided.add(counter)
    else this.#decided.delete(counter)
    if (!counter.isGone && isActive(counter)) this.#active.add(counter)
    else this.#active.delete(counter)
  }

  delete(counter: Counter): void {
    const { window } = counter
    if (!window.counters.delete(counter.scope)) return
    if (window.counters.size === 0) this.#windows.delete(windowKey(window.budget, window.fromMs))
    this.#size--
    this.steps.resize(-(counter.steps?.size ?? 0))
    counter.free()
    this.#options.deleted?.(counter)
    this.#deleted.add(counterKey(counter))
    this.classify(counter)
  }

  /** Log time at which the next window is forgotten, since no call can count in it any more; infinite for never. */
  nextForgetMs(): number {
    let next = Infinity
    for (const { untilMs } of this.#windows.values()) {
      if (untilMs !== null) next = Math.min(next, untilMs + HORIZON_MS)
    }
    return next
  }

  /** Forgets counters of such windows, as many as may be. */
  forgetWindows(logTimeMs: number, maxCounters: number): void {
    let left = maxCounters
    for (const { untilMs, counters } of this.#windows.values()) {
      if (untilMs === null || untilMs + HORIZON_MS > logTimeMs) continue
      for (const counter of counters.values()) {
        if (left-- <= 0) return
        this.delete(counter)
      }
    }
  }

  /** Works out a counter's limit anew. */
  setLimit(counter: Counter, budget: ActiveBudget): void {
    const added = this.#options.addedTo(budget.id, counter.scope)
    if (added === 0) return counter.setLimit(budget.amount, budget.warnFrom)
    const limit = plus(budget.amount, added)
    counter.setLimit(limit, warnFrom(limit, budget.warnAt))
  }

  #windowAt(budget: ActiveBudget, timeMs: number, zone: Zone): BudgetWindow {
    const last = budget.lastWindow
    // A window whose last counter has gone is not kept.
    if (last && last.counters.size > 0 && isWithin(last, timeMs)) return last
    budget.lastWindow = this.#window(budget, windowAt(budget.window, timeMs, zone))
    return budget.lastWindow
  }

  #window({ id, unit }: ActiveBudget, { fromMs, untilMs }: Window): BudgetWindow {
    const key = windowKey(id, fromMs)
    let window = this.#windows.get(key)
    if (!window) {
      window = { budget: id, unit, fromMs, untilMs, counters: new Map() }
      this.#windows.set(key, window)
    }
    return window
  }

  #make(window: BudgetWindow, budget: ActiveBudget, scope: string): Counter {
    const counter = this.#add(window, budget, scope, this.#options.nextOrder())
    if (this.#deleted.size > 0) this.#deleted.delete(counterKey(counter))
    this.touch(counter)
    if (this.#size > (this.#options.maxCounters ?? MAX_COUNTERS)) this.#evict(counter)
    return counter
  }

  #add(window: BudgetWindow, budget: ActiveBudget, scope: string, order: number): Counter {
    const counter = new Counter(window, scope, order, this.#counterRows)
    window.counters.set(scope, counter)
    this.#size++
    this.setLimit(counter, budget)
    return counter
  }

  /**
   * Makes room for a new counter: of the budget and window that have the most, the oldest goes that no guard has an
   * account on. So a million tasks crowd each other out, and never the one counter of an agent or of everything.
   */
  #evict(newest: Counter): void {
    const crowded = this.#mostCrowded()
    for (let passed = 0; passed < MAX_PASSED_OVER; passed++) {
      const oldest = crowded?.counters.values().next().value
      if (!oldest || oldest === newest) return
      if (oldest.accounts.size === 0) {
        this.delete(oldest)
        this.evicted++
        return
      }
      this.#moveToEnd(oldest)
    }
  }

  #mostCrowded(): BudgetWindow | null {
    let crowded: BudgetWindow | null = null
    for (const window of this.#windows.values()) {
      if (!crowded || window.counters.size > crowded.counters.size) crowded = window
    }
    return crowded
  }

  #moveToEnd(counter: Counter): void {
    const { counters } = counter.window
    counters.delete(counter.scope)
    counters.set(counter.scope, counter)
    counter.order = this.#options.nextOrder()
    this.touch(counter)
  }

  takeChanges(): StateChange[] {
    const changes: StateChange[] = []
    for (const key of this.#deleted) changes.push({ key: this.prefix + key, value: null })
    for (const counter of this.#changed) {
      counter.isChanged = false
      if (counter.isGone) continue
      const value = JSON.stringify(encodeCounter(counter))
      changes.push({ key: this.prefix + counterKey(counter), value })
    }
    this.#deleted.clear()
    this.#changed = []
    return changes
  }

  /** @param budgets those of the policy in force */
  restore(records: readonly StateRecord[], budgets: ReadonlyMap<string, ActiveBudget>): void {
    const rows = records.map(([, value]) => JSON.parse(value) as CounterJson)
    rows.sort((a, b) => a.order - b.order)
    for (const row of rows) {
      const budget = budgets.get(row.budget)
      if (!budget) throw new Error(`there is a counter of "${row.budget}" and no such budget`)
      const counter = this.#add(this.#window(budget, row), budget, row.scope, row.order)
      decodeCounter(counter, row, this.#accountRows)
      this.steps.resize(counter.steps?.size ?? 0)
      this.classify(counter)
    }
  }
}

const windowKey = (budget: string, fromMs: number) => `${budget}|${fromMs}`

function isWithin({ fromMs, untilMs }: BudgetWindow, timeMs: number): boolean {
  return timeMs >= fromMs && (untilMs === null || timeMs < untilMs)
}

/** Makes a counter the one that its scope is found with, unless it is of an older window than that. */
function chain(scope: Scope, counter: Counter): void {
  const { budget, fromMs } = counter.window
  let kept: Counter | null = null
  for (let other = scope.counter; other !== null;) {
    const { next } = other
    const isSame = other.window.budget === budget
    if (!other.isGone && isSame && other.window.fromMs > fromMs) return
    if (!other.isGone && !isSame) {
      other.next = kept
      kept = other
    }
    other = next
  }
  counter.next = kept
  scope.counter = counter
}

function inOrder(counters: Iterable<Counter>): Counter[] {
  return [...counters].sort((a, b) => a.order - b.order)
}
