import { type Dimension, parseScopeKey, type UsageAnswer, type UsageRow } from '@tokenfuse/protocol'
import type { UsageLedger } from './usage-ledger.ts'
import {
  addSums,
  costOf,
  namedSums,
  newSums,
  type Sums,
  type SumsPlace,
  totalsOf,
} from './usage-sums.ts'
import { lineNames, USAGE_KINDS } from './usage-table.ts'

const ALL_DAYS = 'all'
const SEPARATOR = '\u0000'

export type UsageQuery = {
  readonly by: readonly Dimension[]
  /** Only the calls of this scope, such as `agent=support`; `*` is all. */
  readonly scope: string
  /** A day such as `2026-01-31`, days such as `2026-01-01..2026-01-31`, or `all`. */
  readonly period: string
  readonly top: number
}

/** @returns null where usage is not kept by this combination of dimensions, those of the scope included */
export function queryUsage(
  ledger: UsageLedger,
  { by, scope, period, top }: UsageQuery,
  offset: number,
): UsageAnswer | null {
  const only = parseScopeKey(scope)
  const kind = kindFor([...new Set([...by, ...only.map(([dimension]) => dimension)])])
  if (!kind) return null
  const isAll = period === ALL_DAYS
  const [from = '', until = from] = period.split('..')
  const groups = new Map<string, { values: UsageRow['values']; sums: SumsPlace }>()
  const total = newSums()
  for (const line of ledger.table(kind.name).lines()) {
    if (!isAll && (line.day < from || line.day > until)) continue
    const known = kind.valuesOf(lineNames(line))
    if (!known || only.some(([dimension, value]) => known[dimension] !== value)) continue
    const name = by.map((dimension) => known[dimension]).join(SEPARATOR)
    let group = groups.get(name)
    if (!group) {
      const values = Object.fromEntries(by.map((dimension) => [dimension, known[dimension]]))
      groups.set(name, (group = { values, sums: newSums() }))
    }
    addSums(group.sums, line)
    addSums(total, line)
  }
  const rows = [...groups.values()]
    .map(({ values, sums }) => ({ values, sums: namedSums(sums) }))
    .sort((a, b) => compareCost(b.sums, a.sums))
    .slice(0, top)
    .map(({ values, sums }) => ({ values, ...totalsOf(sums) }))
  return { offset, by, scope, period, rows, total: totalsOf(namedSums(total)) }
}

type QueryKind = {
  readonly name: string
  readonly valuesOf: (names: readonly string[]) => UsageRow['values'] | null
}

function kindFor(by: readonly Dimension[]): QueryKind | null {
  const tagKind = tagKindFor(by)
  if (tagKind) return tagKind
  for (const [name, places] of Object.entries(USAGE_KINDS)) {
    const dimensions = Object.keys(places)
    if (!by.every((dimension) => dimensions.includes(dimension))) continue
    const valuesOf: QueryKind['valuesOf'] = (names) =>
      Object.fromEntries(by.map((dimension) => [dimension, names[dimensions.indexOf(dimension)]]))
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

function compareCost(a: Sums, b: Sums): number {
  const difference = costOf(a) - costOf(b)
  if (difference !== 0n) return difference > 0n ? 1 : -1
  return a.inputTokens + a.outputTokens - (b.inputTokens + b.outputTokens)
}
