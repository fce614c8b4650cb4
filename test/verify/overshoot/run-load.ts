import type { ChildProcess } from 'node:child_process'
import { setTimeout as passes } from 'node:timers/promises'
import { type LedgerEntry, type Provider, startProvider } from '../../support/provider/client.ts'
import { Agent } from './agents.ts'
import type { Unit } from './amounts.ts'
import type { Run } from './judge.ts'
import { type AgentPlan, AGENTS, ANSWERS, type MadeCall } from './load.ts'

const LOOK_EVERY_MS = 10

/** What all ways to keep a budget have to keep. */
export type Load = { readonly unit: Unit; readonly limit: bigint; readonly seed: number }

export type LoadOptions = Load & {
  readonly counterUrl: string | null
  /** The agent that is killed, and before which of its calls. */
  readonly victim: { readonly agent: number; readonly diesBefore: number } | null
  readonly spawn: (provider: Provider, plan: AgentPlan) => ChildProcess
  /** Called after each call that is over, with how many are. */
  readonly onMade: (calls: number) => void
}

export type LoadOutcome = {
  readonly made: readonly MadeCall[]
  readonly ledger: readonly LedgerEntry[]
  /** When the victim last said something, epoch ms; `null` where there was none. */
  readonly victimLastSeenAt: number | null
  /** What is wrong with agents themselves. */
  readonly problems: readonly string[]
}

/** A run that can be judged, and what kept it from being the run that it should have been. */
export type RunOutcome = { readonly run: Run; readonly problems: readonly string[] }

/** Makes the whole load against a stand-in of its own; all agents begin at the same word. */
export async function runLoad(options: LoadOptions): Promise<LoadOutcome> {
  const { seed, counterUrl, victim } = options
  await using started = new AsyncDisposableStack()
  const provider = started.adopt(await startProvider({ ...ANSWERS, seed }), (it) => it.stop())
  let calls = 0
  const agents = Array.from({ length: AGENTS }, (_, agent) => {
    const diesBefore = victim?.agent === agent ? victim.diesBefore : null
    const child = options.spawn(provider, { agent, url: provider.url, counterUrl, diesBefore })
    const end = diesBefore === null ? null : 'SIGKILL'
    return new Agent(child, end, () => options.onMade(++calls))
  })
  started.defer(() => agents.forEach((agent) => agent.stop()))
  await Promise.all(agents.map(({ ready }) => ready))
  for (const agent of agents) agent.begin()
  const problems = await Promise.all(agents.map(({ ended }) => ended))
  // The stand-in may still be noticing that a killed agent is gone.
  while ((await provider.inFlight()).length > 0) await passes(LOOK_EVERY_MS)
  return {
    made: agents.flatMap(({ made }) => made),
    ledger: await provider.ledger(),
    victimLastSeenAt: victim && (agents[victim.agent]?.made.at(-1)?.endedAt ?? null),
    problems: problems.filter((problem) => problem !== null),
  }
}
