import type { TaskCostRow, TaskCostsAnswer, TaskCostsBy } from '@tokenfuse/protocol'
import type { TaskCost, TaskEnds } from './task-ends.ts'

const SEPARATOR = '\u0000'

type Group = {
  readonly values: TaskCostRow['values']
  readonly ended: { completed: number; failed: number; cancelled: number }
  completedTokens: number
  completedCost: bigint
  otherCost: bigint
}

/** What completed tasks cost, by agent, task type or both; what cost the most comes first. */
export function taskCosts(
  ends: TaskEnds,
  by: readonly TaskCostsBy[],
  top: number,
  offset: number,
): TaskCostsAnswer {
  const groups = new Map<string, Group>()
  for (const cost of ends.costs()) add(groupFor(groups, by, cost), cost)
  const rows = [...groups.values()].sort((a, b) => (costOf(b) > costOf(a) ? 1 : -1))
  return { offset, by, rows: rows.slice(0, top).map(rowOf) }
}

function groupFor(groups: Map<string, Group>, by: readonly TaskCostsBy[], cost: TaskCost): Group {
  const key = by.map((name) => cost[name]).join(SEPARATOR)
  let group = groups.get(key)
  if (!group) {
    const values = Object.fromEntries(by.map((name) => [name, cost[name]]))
    const ended = { completed: 0, failed: 0, cancelled: 0 }
    group = { values, ended, completedTokens: 0, completedCost: 0n, otherCost: 0n }
    groups.set(key, group)
  }
  return group
}

function add(group: Group, { outcome, tasks, tokens, cost }: TaskCost): void {
  group.ended[outcome] += tasks
  if (outcome === 'completed') {
    group.completedTokens += tokens
    group.completedCost += BigInt(cost)
  } else group.otherCost += BigInt(cost)
}

const costOf = ({ completedCost, otherCost }: Group) => completedCost + otherCost

function rowOf({ values, ended, completedTokens, completedCost, otherCost }: Group): TaskCostRow {
  const { completed } = ended
  return {
    values,
    ...ended,
    completedCostPicoUsd: String(completedCost),
    otherCostPicoUsd: String(otherCost),
    costPerCompletedPicoUsd: completed === 0 ? null : String(completedCost / BigInt(completed)),
    tokensPerCompleted: completed === 0 ? null : Math.round(completedTokens / completed),
  }
}
