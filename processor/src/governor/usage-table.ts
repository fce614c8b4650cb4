import { SLOT } from './call-scopes.ts'
import type { Scope } from './scopes.ts'
import { NEW_ROW, type Row, type StateChange, type StateRecord, Table } from './table.ts'
import type { NumberRow, NumberRows } from './number-rows.ts'
import {
  addCall,
  addSums,
  type CallAmounts,
  setSums,
  type SumsJson,
  sumsToJson,
} from './usage-sums.ts'

/** Rows beyond which the oldest is folded into its day's row `(others)`, so that sums still hold. */
const MAX_ROWS = 1_000_000
const OTHERS = '(others)'
const SEPARATOR = '\u0000'

/** One day's sums of the calls that share some names, and where they stand. */
export type UsageLine = Row & NumberRow & { readonly day: string }

export type UsageTableOptions = {
  readonly name: string
  /** How many names a line is kept by. */
  readonly dimensions: number
  /** Where sums stand, as `sumsRows` makes them. */
  readonly rows: NumberRows
  readonly nextOrder: () => number
  readonly maxRows?: number
  /** The place of a name among those that lines are kept by, of which `linesOf` is asked. */
  readonly indexed?: number
}

/** What was used by the calls of each day that share some names, such as agent and task. */
export class UsageTable {
  readonly #options: UsageTableOptions
  readonly #lines: Table<UsageLine>
  /** Lines of days that had too many, one a day; the bound does not count them. */
  readonly #others: Table<UsageLine>
  readonly #byName = new Map<string, UsageLine[]>()
  evicted = 0

  constructor(options: UsageTableOptions) {
    this.#options = options
    const codec = {
      encode: (line: UsageLine) => ({ order: line.order, ...sumsToJson(line) }),
      decode: (json: SumsJson & { order: number }, key: string) => this.#decode(json, key),
    }
    this.#lines = new Table(`usage-${options.name}`, codec)
    this.#others = new Table(`usage-others-${options.name}`, codec)
  }

  get name(): string {
    return this.#options.name
  }

  /** Adds a call of a scope. */
  add(scope: Scope, day: string, amounts: CallAmounts): void {
    const known = scope.line
    const line =
      known !== null && known.day === day && !known.isGone ? known : this.#lineFor(scope, day)
    addCall(line, amounts)
    this.#lines.touch(line)
    if (this.#lines.size > (this.#options.maxRows ?? MAX_ROWS)) this.#foldOldest()
  }

  #lineFor(scope: Scope, day: string): UsageLine {
    const line = this.#get(this.#lines, day, scope.names(this.#options.dimensions))
    // Nearly all calls are of the newest day.
    if (scope.line === null || scope.line.isGone || scope.line.day < day) scope.line = line
    return line
  }

  #get(table: Table<UsageLine>, day: string, names: readonly string[]): UsageLine {
    const key = [day, ...names].join(SEPARATOR)
    const known = table.get(key)
    if (known) return known
    const { nextOrder, rows } = this.#options
    const line = { key, order: nextOrder(), ...NEW_ROW, day, ...rows.allocate() }
    table.set(line)
    if (table === this.#lines) this.#index(line)
    return line
  }

  #index(line: UsageLine): void {
    const { indexed } = this.#options
    if (indexed === undefined) return
    const name = lineNames(line)[indexed] ?? ''
    const lines = this.#byName.get(name)
    if (lines) lines.push(line)
    else this.#byName.set(name, [line])
  }

  /** The lines of an indexed name, but for those that were folded into others. */
  linesOf(name: string): readonly UsageLine[] {
    return this.#byName.get(name) ?? []
  }

  #unindex(line: UsageLine): void {
    const { indexed } = this.#options
    if (indexed === undefined) return
    const name = lineNames(line)[indexed] ?? ''
    const rest = this.linesOf(name).filter((other) => other !== line)
    if (rest.length > 0) this.#byName.set(name, rest)
    else this.#byName.delete(name)
  }

  #foldOldest(): void {
    const oldest = this.#lines.oldest()
    if (!oldest) return
    const { rows, dimensions } = this.#options
    const names = Array.from({ length: dimensions }, () => OTHERS)
    const others = this.#get(this.#others, oldest.day, names)
    addSums(others, oldest)
    this.#others.touch(others)
    this.#lines.delete(oldest)
    this.#unindex(oldest)
    rows.free(oldest.row)
    this.evicted++
  }

  *lines(): Generator<UsageLine> {
    yield* this.#lines.values()
    yield* this.#others.values()
  }

  takeChanges(): StateChange[] {
    return [...this.#lines.takeChanges(), ...this.#others.takeChanges()]
  }

  restore(records: ReadonlyMap<string, readonly StateRecord[]>): void {
    for (const table of [this.#lines, this.#others]) table.restore(records.get(table.prefix) ?? [])
    for (const line of this.#lines.values()) this.#index(line)
  }

  #decode({ order, ...json }: SumsJson & { order: number }, key: string): UsageLine {
    const [day = ''] = key.split(SEPARATOR, 1)
    const line = { key, order, ...NEW_ROW, day, ...this.#options.rows.allocate() }
    setSums(line, json)
    return line
  }
}

/** The names that a line is kept by. */
export function lineNames({ key }: UsageLine): string[] {
  return key.split(SEPARATOR).slice(1)
}

/** Dimensions counted together, each with its place among a call's names. The first that holds all that is asked for answers. */
export const USAGE_KINDS = {
  task: { agent: SLOT.agent, task: SLOT.task },
  model: { provider: SLOT.provider, model: SLOT.answeredModel },
  step: { agent: SLOT.agent, step: SLOT.step },
  user: { user: SLOT.user },
  session: { session: SLOT.session },
  service: { service: SLOT.service },
  taskType: { taskType: SLOT.taskType },
  tenant: { tenant: SLOT.tenant },
  agentModel: { agent: SLOT.agent, model: SLOT.answeredModel },
} as const
