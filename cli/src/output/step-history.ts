import type { UsageRow } from '@tokenfuse/protocol'
import type { Dimension } from '@tokenfuse/protocol/names'
import type { Column } from './table.ts'
import { formatCount } from './text.ts'
import type { MoreColumns } from './usage-table.ts'

const COLUMNS: readonly Column[] = ['a call', 'before'].map((title) => ({ title, align: 'right' }))

/**
 * What a call of each step used on a day, beside what it used on all other days: each step against its own history.
 * @param all the same rows over all days
 */
export function stepHistory(by: readonly Dimension[], all: readonly UsageRow[]): MoreColumns {
  const nameOf = ({ values }: UsageRow) => by.map((dimension) => values[dimension]).join('\u0000')
  const known = new Map(all.map((row) => [nameOf(row), row]))
  return {
    columns: COLUMNS,
    cells: (row) => {
      const whole = known.get(nameOf(row)) ?? row
      const before = {
        calls: whole.calls - row.calls,
        totalTokens: whole.totalTokens - row.totalTokens,
      }
      return [perCall(row), perCall(before)]
    },
  }
}

function perCall({ calls, totalTokens }: Pick<UsageRow, 'calls' | 'totalTokens'>): string {
  return calls > 0 ? formatCount(Math.round(totalTokens / calls)) : ''
}
