import {
  billedTokens,
  type Dimension,
  parseScopeKey,
  type UsageAnswer,
  type UsageEvent,
  type UsageRow,
  type UsageTotals,
} from '@tokenfuse/protocol'
import { bigintCodec, type Row, type StateChange, Table } from './table.ts'

/** Rows of a kind and day beyond which the oldest is folded into the row `(others)`, so that sums still hold. */
const MAX_ROWS = 1_000_000
const OTHERS = '(others)'
const ALL_DAYS = 'all'
const SEPARATOR = '\u0000'

type Totals = Row & {
  calls: number
  estimatedCalls: number
  unpricedCalls: number
  refusedCalls: number
  inputTokens: number
  cacheReadTokens: number
  cacheWriteTokens: number
  outputTokens: number
  reasoningTokens: number
  inputCost: bigint
  outputCost: bigint
  otherCost: bigint
}

type Amounts = Omit<Totals, 'order'>

const codec = bigintCodec<Totals>('inputCost', 'outputCost', 'otherCost')

/** Which dimensions are counted together. The first that holds all that is asked for answers a query. */
const KINDS: Readonly<Record<string, readonly Dimension[]>> = {
  task: ['agent', 'task'],
  model: ['provider', 'model'],
  step: ['agent', 'step'],
  user: ['user'],
  session: ['session'],
  service: ['service'],
  taskType: ['taskType'],
  tenant: ['tenant'],
}

export type UsageQuery = {
  readonly by: readonly Dimension[]
  /** Only the calls of this scope, such as `agent=support`; `*` is all. */
  readonly scope: string
  /** A day such as `2026-01-31`, or `all`. */
  readonly period: string
  readonly top: number
}

/**
 * The token counter: what every agent, task, model, step, user, session, service and tag used and cost, by day.
 * Everything adds; nothing is ever set to a call's own value.
 */
export class UsageLedger {
  readonly #tables = new Map<string, Table<Totals>>()
  evicted = 0

  constructor() {
    for (const kind of [...Object.keys(KINDS), 'tag']) {
      this.#tables.set(kind, new Table(`usage-${kind}`, codec))
    }
  }

  add(event: UsageEvent, day: string, offset: number): void {
    const amounts = amountsOf(event)
    for (const [kind, dimensions] of Object.entries(KINDS)) {
      const values = dimensions.map((dimension) => valueOf(event, dimension))
      this.#addTo(kind, [day, ...values].join(SEPARATOR), amounts, offset)
    }
    for (const name of Object.keys(event.tags).sort()) {
      const key = [day, name, event.tags[name], event.agent].join(SEPARATOR)
      this.#addTo('tag', key, amounts, offset)
    }
  }

  #addTo(kind: string, key: string, amounts: Amounts, offset: number): void {
    const table = this.#table(kind)
    const row = table.get(key)
    if (row) {
      addInto(row, amounts)
      table.touch(key)
      return
    }
    table.set(key, { order: offset, ...amounts })
    if (table.size > MAX_ROWS) this.#fold(kind, table, offset)
  }

  /** Takes the oldest row away and adds it to its day's `(others)`. */
  #fold(kind: string, table: Table<Totals>, offset: number): void {
    for (const [key, row] of table.entries()) {
      const [day = '', ...values] = key.split(SEPARATOR)
      if (values.every((value) => value === OTHERS)) continue
      table.delete(key)
      this.evicted++
      this.#addTo(kind, [day, ...values.map(() => OTHERS)].join(SEPARATOR), row, offset)
      return
    }
  }

  #table(kind: string): Table<Totals> {
    const table = this.#tables.get(kind)
    if (!table) throw new Error(`no usage is kept by ${kind}`)
    return table
  }

  /** @returns null where usage is not kept by this combination of dimensions, those of the scope included */
  query({ by, scope, period, top }: UsageQuery, offset: number): UsageAnswer | null {
    const only = parseScopeKey(scope)
    const kind = kindFor([...new Set([...by, ...only.map(([dimension]) => dimension)])])
    if (!kind) return null
    const groups = new Map<string, { values: UsageRow['values']; totals: Totals }>()
    const total = emptyTotals()
    for (const [key, row] of this.#table(kind.name).entries()) {
      const [day, ...parts] = key.split(SEPARATOR)
      if (period !== ALL_DAYS && day !== period) continue
      const known = kind.valuesOf(parts)
      if (!known || only.some(([dimension, value]) => known[dimension] !== value)) continue
      const values: UsageRow['values'] = Object.fromEntries(
        by.map((dimension) => [dimension, known[dimension]]),
      )
      const name = by.map((dimension) => values[dimension]).join(SEPARATOR)
      let group = groups.get(name)
      if (!group) groups.set(name, (group = { values, totals: emptyTotals() }))
      addInto(group.totals, row)
      addInto(total, row)
    }
    const rows = [...groups.values()]
      .sort((a, b) => compareCost(b.totals, a.totals))
      .slice(0, top)
      .map(({ values, totals }) => ({ values, ...publicTotals(totals) }))
    return { offset, by, scope, period, rows, total: publicTotals(total) }
  }

  total(): UsageTotals {
    const total = emptyTotals()
    for (const row of this.#table('tenant').values()) addInto(total, row)
    return publicTotals(total)
  }

  takeChanges(): StateChange[] {
    return [...this.#tables.values()].flatMap((table) => table.takeChanges())
  }

  restore(records: readonly (readonly [key: string, value: string])[]): void {
    for (const table of this.#tables.values()) {
      table.restore(records.filter(([key]) => key.startsWith(table.prefix)))
    }
  }
}

type QueryKind = {
  readonly name: string
  readonly valuesOf: (parts: readonly string[]) => UsageRow['values'] | null
}

function kindFor(by: readonly Dimension[]): QueryKind | null {
  const tagKind = tagKindFor(by)
  if (tagKind) return tagKind
  for (const [name, dimensions] of Object.entries(KINDS)) {
    if (!by.every((dimension) => dimensions.includes(dimension))) continue
    const valuesOf: QueryKind['valuesOf'] = (parts) =>
      Object.fromEntries(by.map((dimension) => [dimension, parts[dimensions.indexOf(dimension)]]))
    return { name, valuesOf }
  }
  return null
}

/** One tag, alone or with the agent. */
function tagKindFor(by: readonly Dimension[]): QueryKind | null {
  const [tag, another] = by.filter((dimension) => dimension.startsWith('tag.'))
  const rest = by.filter((dimension) => dimension !== tag && dimension !== 'agent')
  if (tag === undefined || another !== undefined || rest.length > 0) return null
  const wanted = tag.slice('tag.'.length)
  const valuesOf: QueryKind['valuesOf'] = ([name, value = '', agent = '']) =>
    name === wanted ? { [tag]: value, agent } : null
  return { name: 'tag', valuesOf }
}

/** The name under which a step is counted: its own, or else its number. */
export function stepName(event: Pick<UsageEvent, 'step' | 'stepName'>): string {
  return event.stepName ?? (event.step === null ? 'unknown' : String(event.step))
}

function valueOf(event: UsageEvent, dimension: Dimension): string {
  if (dimension === 'step') return stepName(event)
  if (dimension === 'model') return event.responseModel ?? event.requestModel
  if (dimension === 'taskType') return event.taskType ?? 'unknown'
  return event[
    dimension as 'agent' | 'task' | 'user' | 'session' | 'provider' | 'service' | 'tenant'
  ]
}

/** Whether the guard refused the call, so that it reached nobody and cost nothing. */
export function isRefused(event: UsageEvent): boolean {
  return event.verdict !== null && REFUSALS.has(event.verdict.action) && event.responseId === null
}
const REFUSALS: ReadonlySet<string> = new Set(['throttle', 'pause', 'block', 'kill'])

function amountsOf(event: UsageEvent): Amounts {
  const refused = isRefused(event)
  const billed = billedTokens(event.charges)
  let inputCost = 0n
  let outputCost = 0n
  for (const charge of event.charges) {
    if (charge.kind === 'output') outputCost += BigInt(charge.picoUsd)
    else if (charge.unit === 'token') inputCost += BigInt(charge.picoUsd)
  }
  return {
    calls: refused ? 0 : 1,
    estimatedCalls: event.source === 'estimate' || event.source === 'partial' ? 1 : 0,
    unpricedCalls: event.priced === 'exact' ? 0 : 1,
    refusedCalls: refused ? 1 : 0,
    inputTokens: billed.input,
    cacheReadTokens: event.tokens.cacheRead ?? 0,
    cacheWriteTokens: (event.tokens.cacheWrite ?? 0) + (event.tokens.cacheWrite1h ?? 0),
    outputTokens: billed.output,
    reasoningTokens: event.tokens.reasoning ?? 0,
    inputCost,
    outputCost,
    otherCost: BigInt(event.costPicoUsd) - inputCost - outputCost,
  }
}

function emptyTotals(): Totals {
  return {
    order: 0,
    calls: 0,
    estimatedCalls: 0,
    unpricedCalls: 0,
    refusedCalls: 0,
    inputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    outputTokens: 0,
    reasoningTokens: 0,
    inputCost: 0n,
    outputCost: 0n,
    otherCost: 0n,
  }
}

function addInto(to: Totals, from: Amounts): void {
  to.calls += from.calls
  to.estimatedCalls += from.estimatedCalls
  to.unpricedCalls += from.unpricedCalls
  to.refusedCalls += from.refusedCalls
  to.inputTokens += from.inputTokens
  to.cacheReadTokens += from.cacheReadTokens
  to.cacheWriteTokens += from.cacheWriteTokens
  to.outputTokens += from.outputTokens
  to.reasoningTokens += from.reasoningTokens
  to.inputCost += from.inputCost
  to.outputCost += from.outputCost
  to.otherCost += from.otherCost
}

const costOf = (totals: Totals) => totals.inputCost + totals.outputCost + totals.otherCost

function compareCost(a: Totals, b: Totals): number {
  const difference = costOf(a) - costOf(b)
  if (difference !== 0n) return difference > 0n ? 1 : -1
  return a.inputTokens + a.outputTokens - (b.inputTokens + b.outputTokens)
}

function publicTotals(totals: Totals): UsageTotals {
  const { order: _, inputCost, outputCost, otherCost: __, ...counts } = totals
  return {
    ...counts,
    totalTokens: totals.inputTokens + totals.outputTokens,
    inputCostPicoUsd: inputCost.toString(),
    outputCostPicoUsd: outputCost.toString(),
    costPicoUsd: costOf(totals).toString(),
  }
}
