import { stripVTControlCharacters } from 'node:util'
import Table from 'cli-table3'
import type { Style } from './style.ts'
import { showName } from './text.ts'

export type Column = {
  readonly title: string
  readonly align: 'left' | 'right'
  /** Holds names from outside: as much of them is shown as fits into 80 columns beside the others. */
  readonly shrinks?: boolean
}

const WIDTH = 80
const GAP = 2
const MIN_NAME_WIDTH = 8
const MAX_NAME_WIDTH = 48

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
} as const

/**
 * Rows of text under their titles, without lines around them. Ends without a line break. Of its columns one may
 * shrink.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
): string {
  const table = new Table({
    head: columns.map(({ title }) => style('dim', title)),
    colAligns: columns.map(({ align }) => align),
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  })
  const nameWidth = widthLeft(columns, rows)
  for (const row of rows) {
    table.push(
      row.map((text, index) => (columns[index]?.shrinks ? showName(text, nameWidth) : text)),
    )
  }
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

/** What the columns that cannot shrink leave for the one that can. */
function widthLeft(columns: readonly Column[], rows: readonly (readonly string[])[]): number {
  let left = WIDTH - GAP * (columns.length - 1)
  for (const [index, { title, shrinks }] of columns.entries()) {
    if (shrinks) continue
    const texts = [title, ...rows.map((row) => stripVTControlCharacters(row[index] ?? ''))]
    left -= Math.max(...texts.map((text) => text.length))
  }
  return Math.min(Math.max(left, MIN_NAME_WIDTH), MAX_NAME_WIDTH)
}
