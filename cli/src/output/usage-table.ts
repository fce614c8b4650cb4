import { formatUsd, type Dimension } from '@tokenfuse/protocol/names'
import type { UsageRow, UsageTotals } from '@tokenfuse/protocol'
import type { Style } from './style.ts'
import { type Column, renderTable } from './table.ts'
import { formatCount, plural, showName } from './text.ts'

const COUNTS: readonly Column[] = ['calls', 'input', 'output', 'cost'].map((title) => ({
  title,
  align: 'right',
}))

/** Columns beside the counts. */
export type MoreColumns = {
  readonly columns: readonly Column[]
  readonly cells: (row: UsageRow) => readonly string[]
}

/** Rows of usage by their dimensions and, where there is more than one row, what they are in all. */
export function usageTable(
  by: readonly Dimension[],
  rows: readonly UsageRow[],
  total: UsageTotals,
  style: Style,
  more: MoreColumns | null = null,
): string {
  const names = by.map((dimension): Column => ({ title: dimension, align: 'left' }))
  const width = by.length > 1 ? 20 : 32
  const lines = rows.map((row) => [
    ...by.map((dimension) => showName(row.values[dimension] ?? '', width)),
    ...counts(row),
    ...(more?.cells(row) ?? []),
  ])
  if (rows.length > 1) {
    const blank = more?.columns.map(() => '') ?? []
    const sums = ['total', ...by.slice(1).map(() => ''), ...counts(total), ...blank]
    lines.push(sums.map((text) => style('bold', text)))
  }
  return renderTable([...names, ...COUNTS, ...(more?.columns ?? [])], lines, style)
}

function counts(totals: UsageTotals): string[] {
  return [
    formatCount(totals.calls),
    formatCount(totals.inputTokens),
    formatCount(totals.outputTokens),
    formatUsd(BigInt(totals.costPicoUsd)),
  ]
}

/** What the figures do not show of themselves; empty where there is nothing to say. */
export function usageNotes(total: UsageTotals): string[] {
  const notes: string[] = []
  if (total.refusedCalls > 0) notes.push(`${plural(total.refusedCalls, 'call')} refused`)
  if (total.estimatedCalls > 0) {
    notes.push(`${plural(total.estimatedCalls, 'call')} estimated: the provider told no usage`)
  }
  if (total.unpricedCalls > 0) {
    notes.push(
      `${plural(total.unpricedCalls, 'call')} of models without a listed price: priced by family or at the ceiling`,
    )
  }
  return notes
}
