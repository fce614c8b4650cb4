import type { UsageTotals } from '@tokenfuse/protocol'
import { AGENTS, LOOP } from './agents.ts'
import type { Job } from './job.ts'

export type AgentState = 'starting' | 'working' | 'done' | 'stopped' | 'failed'

export type AgentRow = {
  readonly name: string
  readonly state: AgentState
  /** `null` before its first call. */
  readonly usage: UsageTotals | null
  /** How full the budget of its task is; `null` where it has none or nothing was spent yet. */
  readonly budgetRatio: number | null
}

/** What the processor and the processes say at one moment. */
export type Moment = { readonly agents: readonly AgentRow[]; readonly total: UsageTotals | null }

export const BEFORE_START: Moment = {
  agents: AGENTS.map(({ name }) => ({ name, state: 'starting', usage: null, budgetRatio: null })),
  total: null,
}

export async function lookAt({ client, agents }: Job): Promise<Moment> {
  // Ended before asked: then all that it reported is in the answer.
  const exitCodes = new Map(agents.map(({ name, exitCode }) => [name, exitCode]))
  const [{ rows, total }, { budgets }] = await Promise.all([
    client.usage({ by: ['agent'], period: 'all', top: 100 }),
    client.status(),
  ])
  const loopBudget = budgets.find(({ budget }) => budget === `${LOOP.agent}-task`)
  return {
    total,
    agents: AGENTS.map(({ name }): AgentRow => {
      const usage = rows.find(({ values }) => values.agent === name) ?? null
      return {
        name,
        usage,
        state: stateOf(exitCodes.get(name) ?? null, usage),
        budgetRatio: name === LOOP.agent ? (loopBudget?.usedRatio ?? null) : null,
      }
    }),
  }
}

function stateOf(exitCode: number | null, usage: UsageTotals | null): AgentState {
  if (usage !== null && usage.refusedCalls > 0) return 'stopped'
  if (exitCode === null) return 'working'
  return exitCode === 0 ? 'done' : 'failed'
}
