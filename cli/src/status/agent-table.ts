import type { AgentStatus } from '@tokenfuse/protocol'
import { formatUsd } from '@tokenfuse/protocol/names'
import { formatAmount } from '../output/amount.ts'
import type { Style } from '../output/style.ts'
import { type Column, renderTable } from '../output/table.ts'
import { formatShort } from '../output/text.ts'
import { usedShare } from '../output/used-share.ts'

const MAX_AGENTS = 20

const COLUMNS: readonly Column[] = [
  { title: 'agent', align: 'left', shrinks: true },
  { title: 'prompt', align: 'right' },
  { title: 'completion', align: 'right' },
  { title: 'total', align: 'right' },
  { title: 'limit', align: 'right' },
  { title: 'used', align: 'right' },
  { title: 'cost', align: 'right' },
]

/** What each agent used in all, beside the fullest budget of its own. */
export function agentTable(agents: readonly AgentStatus[], style: Style): string {
  const rows = agents
    .slice(0, MAX_AGENTS)
    .map((agent) => [
      agent.agent,
      formatShort(agent.inputTokens),
      formatShort(agent.outputTokens),
      formatShort(agent.totalTokens),
      agent.budget === null ? '' : formatAmount(agent.budget.limit, agent.budget.unit),
      agent.budget === null ? '' : usedShare(agent.budget.usedRatio, style),
      formatUsd(BigInt(agent.costPicoUsd)),
    ])
  const table = renderTable(COLUMNS, rows, style)
  const more = agents.length > rows.length ? 'and others: see "tokenfuse usage --by agent"' : null
  return more === null ? table : `${table}\n${style('dim', more)}`
}
