import { formatUsd } from '@tokenfuse/protocol/names'
import type { UsageTotals } from '@tokenfuse/protocol'
import type { Style } from '../../../cli/src/output/style.ts'
import { type Column, renderTable } from '../../../cli/src/output/table.ts'
import { formatCount } from '../../../cli/src/output/text.ts'
import { LOOP } from '../agents.ts'
import type { AgentRow, Moment } from '../watch.ts'

const COLUMNS: readonly Column[] = [
  { title: 'agent', align: 'left' },
  { title: 'calls', align: 'right' },
  { title: 'input', align: 'right' },
  { title: 'output', align: 'right' },
  { title: 'cost', align: 'right' },
  { title: 'state', align: 'left' },
]

/** Wide enough for what comes, so that columns stay where they are while figures grow. */
const WIDTHS = [10, 5, 9, 7, 8] as const

export function momentTable({ agents, total }: Moment, style: Style): string {
  const rows = agents.map((agent) => [...cells(agent.name, agent.usage), stateText(agent, style)])
  const sums = [...cells('total', total).map((text) => style('bold', text)), '']
  return renderTable(COLUMNS.map(widened), [...rows, sums], style)
}

/** One agent's line, for output that is a list of what happened. */
export function agentLine(agent: AgentRow, style: Style): string {
  return [...cells(agent.name, agent.usage), stateText(agent, style)].join('  ')
}

export function columnTitles(style: Style): string {
  return style('dim', COLUMNS.map((column, index) => widened(column, index).title).join('  '))
}

function widened(column: Column, index: number): Column {
  const width = WIDTHS[index] ?? 0
  const { title, align } = column
  return { align, title: align === 'left' ? title.padEnd(width) : title.padStart(width) }
}

function cells(name: string, usage: UsageTotals | null): string[] {
  const texts = [
    name,
    formatCount(usage?.calls ?? 0),
    formatCount(usage?.inputTokens ?? 0),
    formatCount(usage?.outputTokens ?? 0),
    formatUsd(BigInt(usage?.costPicoUsd ?? 0)),
  ]
  return texts.map((text, index) => {
    const width = WIDTHS[index] ?? 0
    return index === 0 ? text.padEnd(width) : text.padStart(width)
  })
}

function stateText({ name, state, usage, budgetRatio }: AgentRow, style: Style): string {
  if (state === 'failed') return style('red', 'failed')
  if (state === 'done') return style('green', 'done')
  if (name !== LOOP.agent || state === 'starting') return style('dim', state)
  const turns = (usage?.calls ?? 0) + (usage?.refusedCalls ?? 0)
  const used = `${Math.floor((budgetRatio ?? 0) * 100)}% of $${LOOP.budgetUsd}`
  if (state === 'stopped') return style('red', `stopped at turn ${turns}, ${used}`)
  const text = `turn ${turns + 1} of ${LOOP.turns}, ${used}`
  return (budgetRatio ?? 0) >= 0.8 ? style('yellow', text) : text
}
