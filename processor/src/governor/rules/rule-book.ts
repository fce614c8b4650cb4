import { type Dimension, type Rule, scopeKeyOf, type Zone } from '@tokenfuse/protocol'
import { plus } from '../amount.ts'
import type { CallScopes } from '../call-scopes.ts'
import { RecentTable } from '../detect/recent-table.ts'
import type { Scope } from '../scopes.ts'
import { plainCodec, type StateChange, type StateRecord, Table } from '../table.ts'
import type { CallAmounts } from '../usage-sums.ts'
import { type Window, windowAt } from '../windows.ts'
import { type ActiveRules, activateRules, type CountedLevel } from './active-rules.ts'
import type { Held } from './held.ts'
import { newRuleScope, type RuleScope, ruleScopeCodec } from './rule-scope.ts'

const MAX_SCOPES = 100_000
/** As many as guards follow. */
const MAX_HELD = 10_000
/** Scopes in which a rule holds that are passed over in the search for one that may go. */
const MAX_PASSED_OVER = 16

const TASK_WINDOW: Window = Object.freeze({ fromMs: 0, untilMs: null })
const DIMENSIONS: readonly Dimension[] = Object.freeze(['agent', 'task'] as const)

/** The rules in force, what they count, and where they hold. Only what some rule asks for is counted. */
export class RuleBook {
  readonly #scopes = new RecentTable<RuleScope>('rule-scope', ruleScopeCodec)
  readonly #held = new Table<Held>('rule-held', plainCodec())
  readonly #maxScopes: number
  active: ActiveRules = { rules: [], byName: new Map(), levels: [], unreadable: [] }
  /** Rises whenever limits may have changed. */
  limitsEpoch = 1
  #zone: Zone = { name: 'UTC', offsets: [{ fromMs: 0, offsetMs: 0 }] }
  readonly #windows: Record<'hour' | 'day' | 'month', Window> = noWindows()
  /** Scopes that were forgotten to make room, and decisions that found none. */
  evicted = 0

  constructor(maxScopes = MAX_SCOPES) {
    this.#maxScopes = maxScopes
  }

  /** Another policy is in force. What is counted goes on as far as it is still asked for. */
  activate(rules: readonly Rule[], call: CallScopes, zone: Zone): void {
    this.active = activateRules(rules, call)
    this.#zone = zone
    Object.assign(this.#windows, noWindows())
    this.limitsEpoch++
  }

  /** The window of a time. */
  windowAt(name: 'hour' | 'day' | 'month' | 'task', timeMs: number): Window {
    if (name === 'task') return TASK_WINDOW
    const last = this.#windows[name]
    if (timeMs >= last.fromMs && timeMs < (last.untilMs ?? 0)) return last
    return (this.#windows[name] = windowAt(name, timeMs, this.#zone))
  }

  /** Counts a call on one level. @returns where it was counted */
  count(
    { level, windows, scopeNumber }: CountedLevel,
    call: CallScopes,
    amounts: CallAmounts,
    { timeMs, logTimeMs }: { readonly timeMs: number; readonly logTimeMs: number },
  ): RuleScope {
    const scope = call.scopes[scopeNumber] as Scope
    const known = scope.rules
    const row = known !== null && !known.isGone ? known : this.#rowFor(level, scope)
    for (const name of windows) {
      const { fromMs } = this.windowAt(name, timeMs)
      const count = row.counts[name]
      const { inputTokens, outputTokens, cost, calls } = amounts
      const tokens = inputTokens + outputTokens
      if (!count || count.fromMs < fromMs) {
        row.counts[name] = { fromMs, tokens, cost, calls }
      } else if (count.fromMs === fromMs) {
        count.tokens += tokens
        count.cost = plus(count.cost, cost)
        count.calls += calls
      }
    }
    row.lastMs = logTimeMs
    this.#scopes.use(row)
    return row
  }

  #rowFor(level: RuleScope['level'], scope: Scope): RuleScope {
    const names = scope.names(level === 'all' ? 0 : level === 'agent' ? 1 : 2)
    const key = scopeKeyOf(names.map((name, at) => [DIMENSIONS[at] as Dimension, name]))
    const row = this.#scopes.get(key) ?? this.#add(key, level, names)
    scope.rules = row
    return row
  }

  #add(key: string, level: RuleScope['level'], [agent, task]: readonly string[]): RuleScope {
    const names = { level, agent: agent ?? null, task: task ?? null }
    const row = newRuleScope(key, this.#scopes.nextUse(), names)
    this.#scopes.add(row)
    if (this.#scopes.size > this.#maxScopes) this.#evict()
    return row
  }

  #evict(): void {
    for (let passed = 0; passed < MAX_PASSED_OVER; passed++) {
      const oldest = this.#scopes.oldest()
      if (!oldest) return
      if (oldest.held === null) {
        this.#scopes.delete(oldest)
        this.evicted++
        return
      }
      this.#scopes.use(oldest)
    }
  }

  scope(key: string): RuleScope | undefined {
    return this.#scopes.get(key)
  }

  /** Where rules hold, in the order in which they began to. */
  held(): IterableIterator<Held> {
    return this.#held.values()
  }

  /** @returns one that has to end, since there is no room for it */
  hold(row: RuleScope, held: Held): Held | null {
    this.#held.set(held)
    row.held ??= new Map()
    row.held.set(held.rule, held)
    if (this.#held.size <= MAX_HELD) return null
    this.evicted++
    return this.#held.oldest() ?? null
  }

  setClear(held: Held, clearMs: number | null): void {
    held.clearMs = clearMs
    this.#held.touch(held)
  }

  lift(held: Held): void {
    held.isLifted = true
    this.#held.touch(held)
  }

  release(held: Held): void {
    this.#held.delete(held)
    const row = this.#scopes.get(held.scope)
    row?.held?.delete(held.rule)
    if (row?.held?.size === 0) row.held = null
  }

  takeChanges(): StateChange[] {
    return [...this.#scopes.takeChanges(), ...this.#held.takeChanges()]
  }

  /** Fills an empty book from what `takeChanges` gave; `activate` comes before. */
  restore(of: (prefix: string) => readonly StateRecord[]): void {
    this.#scopes.restore(of(this.#scopes.prefix))
    this.#held.restore(of(this.#held.prefix))
    for (const held of this.#held.values()) {
      const row = this.#scopes.get(held.scope)
      if (!row) continue
      row.held ??= new Map()
      row.held.set(held.rule, held)
    }
  }
}

function noWindows(): Record<'hour' | 'day' | 'month', Window> {
  const none: Window = { fromMs: 0, untilMs: 0 }
  return { hour: none, day: none, month: none }
}
