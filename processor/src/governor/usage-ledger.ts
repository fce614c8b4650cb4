import type { UsageEvent, UsageTotals } from '@tokenfuse/protocol'
import { amountOf } from './amount.ts'
import type { CallScopes } from './call-scopes.ts'
import { Names, type Scope, ScopeIndex } from './scopes.ts'
import type { StateChange, StateRecord } from './table.ts'
import type { TaskUsage } from './task-ends.ts'
import {
  addSums,
  type CallAmounts,
  costOf,
  namedSums,
  newSums,
  sumsRows,
  totalsOf,
} from './usage-sums.ts'
import { USAGE_KINDS, UsageTable } from './usage-table.ts'

/** The place of the task among the names of the lines of tasks. */
const TASK_PLACE = Object.keys(USAGE_KINDS.task).indexOf('task')

export type UsageLedgerOptions = {
  /** Loaded with each call before it is added. */
  readonly call: CallScopes
  readonly nextOrder: () => number
  /** Rows of a kind before the oldest are folded together. */
  readonly maxRows?: number
}

/**
 * The token counter: what every agent, task, model, step, user, session, service and tag used and cost, by day.
 * Everything adds; nothing is ever set to a call's own value.
 */
export class UsageLedger {
  readonly #call: CallScopes
  readonly #kinds: { readonly table: UsageTable; readonly scopeNumber: number }[]
  readonly #tags: UsageTable
  readonly #tagScopes = new ScopeIndex([0, 1, 2])
  /** Name and value of one tag, and the agent. */
  readonly #tagNames = new Names(3)

  constructor({ call, ...options }: UsageLedgerOptions) {
    this.#call = call
    const rows = sumsRows()
    this.#kinds = Object.entries(USAGE_KINDS).map(([name, places]) => {
      const slots = Object.values(places)
      const indexed = name === 'task' ? TASK_PLACE : undefined
      const table = new UsageTable({
        name,
        dimensions: slots.length,
        rows,
        ...options,
        ...(indexed !== undefined && { indexed }),
      })
      return { table, scopeNumber: call.numberOf(slots) }
    })
    this.#tags = new UsageTable({ name: 'tag', dimensions: 3, rows, ...options })
  }

  /** Adds the call that is loaded. */
  add(event: UsageEvent, amounts: CallAmounts, day: string): void {
    for (const { table, scopeNumber } of this.#kinds) {
      table.add(this.#call.scopes[scopeNumber] as Scope, day, amounts)
    }
    for (const name in event.tags) {
      const names = this.#tagNames
      names.set(0, name)
      names.set(1, event.tags[name] ?? '')
      names.set(2, event.agent)
      const scope = this.#tagScopes.find(this.#tagScopes.hashOf(names), names)
      this.#tags.add(scope, day, amounts)
    }
  }

  /** The lines of a kind of `USAGE_KINDS`, or of `tag`. */
  table(name: string): UsageTable {
    const table = this.#all().find((each) => each.name === name)
    if (!table) throw new Error(`no usage is kept by ${name}`)
    return table
  }

  /** What the calls of a task used, of all agents and days. */
  usageOfTask(task: string): TaskUsage {
    const sums = newSums()
    for (const line of this.table('task').linesOf(task)) addSums(sums, line)
    const named = namedSums(sums)
    const tokens = named.inputTokens + named.outputTokens
    return { calls: named.calls, tokens, cost: amountOf(costOf(named)) }
  }

  total(): UsageTotals {
    const total = newSums()
    for (const line of this.table('tenant').lines()) addSums(total, line)
    return totalsOf(namedSums(total))
  }

  /** Lines that were folded together to stay within bounds. */
  get evicted(): number {
    return this.#all().reduce((sum, { evicted }) => sum + evicted, 0)
  }

  takeChanges(): StateChange[] {
    return this.#all().flatMap((table) => table.takeChanges())
  }

  /** @param records by the prefix of their keys */
  restore(records: ReadonlyMap<string, readonly StateRecord[]>): void {
    for (const table of this.#all()) table.restore(records)
  }

  #all(): UsageTable[] {
    return [...this.#kinds.map(({ table }) => table), this.#tags]
  }
}
