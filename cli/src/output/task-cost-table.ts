import { formatUsd, type Dimension } from '@tokenfuse/protocol/names'
import type { TaskCostRow, TaskCostsBy } from '@tokenfuse/protocol'
import type { Style } from './style.ts'
import { type Column, renderTable } from './table.ts'
import { formatCount, showName } from './text.ts'

const COUNTS: readonly Column[] = [
  'completed',
  'failed',
  'cancelled',
  'per completed',
  'tokens each',
].map((title) => ({ title, align: 'right' }))

/** By what usage is shown, where it is something that tasks are told apart by; else `null`. */
export function taskCostsBy(by: readonly Dimension[]): TaskCostsBy | null {
  const [only, another] = by
  if (another !== undefined) return null
  return only === 'agent' || only === 'taskType' ? only : null
}

/** What completed tasks cost; no lines where no task has ended. */
export function taskCostLines(
  by: TaskCostsBy,
  rows: readonly TaskCostRow[],
  style: Style,
): string[] {
  if (rows.length === 0) return []
  const lines = rows.map((row) => [
    showName(row.values[by] ?? '', 32),
    formatCount(row.completed),
    formatCount(row.failed),
    formatCount(row.cancelled),
    row.costPerCompletedPicoUsd === null ? '' : formatUsd(BigInt(row.costPerCompletedPicoUsd)),
    row.tokensPerCompleted === null ? '' : formatCount(row.tokensPerCompleted),
  ])
  const title = by === 'agent' ? 'tasks of' : 'tasks'
  return ['', renderTable([{ title, align: 'left' }, ...COUNTS], lines, style)]
}
