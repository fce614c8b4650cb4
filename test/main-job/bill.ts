import type { LedgerEntry } from '../support/provider/client.ts'
import type { AgentRow } from './watch.ts'

/** What one agent used, by tokenfuse and by the provider's own bill. */
export type BillRow = {
  readonly agent: string
  readonly metered: Spend
  readonly billed: Spend
  readonly isEqual: boolean
}

type Spend = {
  readonly calls: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cost: bigint
}

const NOTHING: Spend = { calls: 0, inputTokens: 0, outputTokens: 0, cost: 0n }

/** Agents that the bill names and tokenfuse does not are among the rows. */
export function compareBills(
  agents: readonly AgentRow[],
  ledger: readonly LedgerEntry[],
): readonly BillRow[] {
  const billed = Map.groupBy(ledger, ({ label }) => label ?? 'unknown')
  const names = new Set([...agents.map(({ name }) => name), ...billed.keys()])
  return [...names].map((agent) => {
    const usage = agents.find(({ name }) => name === agent)?.usage
    const metered = usage ? { ...usage, cost: BigInt(usage.costPicoUsd) } : NOTHING
    const bill = (billed.get(agent) ?? []).reduce(addEntry, NOTHING)
    return { agent, metered, billed: bill, isEqual: isSame(metered, bill) }
  })
}

function addEntry(sum: Spend, { tokens, extras, costPicoUsd }: LedgerEntry): Spend {
  const extra = (field: 'input' | 'output') =>
    extras.reduce((total, item) => total + item[field], 0)
  return {
    calls: sum.calls + 1,
    inputTokens: sum.inputTokens + tokens.input + extra('input'),
    outputTokens: sum.outputTokens + tokens.output + extra('output'),
    cost: sum.cost + BigInt(costPicoUsd),
  }
}

const isSame = (a: Spend, b: Spend) =>
  a.calls === b.calls &&
  a.inputTokens === b.inputTokens &&
  a.outputTokens === b.outputTokens &&
  a.cost === b.cost
