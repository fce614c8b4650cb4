import type { ChildProcess } from 'node:child_process'
import { setTimeout as passes } from 'node:timers/promises'
import { type LedgerEntry, type Provider, startProvider } from '../../support/provider/client.ts'
import { Agent } from './agents.ts'
import { billedSoFar, type Unit } from './amounts.ts'
import type { Run } from './judge.ts'
import { type AgentPlan, AGENTS, type MadeCall } from './load.ts'
import { ANSWERS, GROWN_ANSWERS, GROWTH_AT, KILL_AT } from './variants.ts'

const LOOK_EVERY_MS = 10

/** What all ways to keep a budget have to keep. */
export type Load = {
  readonly unit: Unit
  readonly limit: bigint
  readonly callsOfCaller: number
  readonly seed: number
}

export type LoadOptions = Load & {
  readonly counterUrl: string | null
  readonly spawn: (provider: Provider, plan: AgentPlan) => ChildProcess
  /** Called once, when half of the limit is billed. */
  readonly halfway: (agents: readonly Agent[]) => void | Promise<void>
}

export type LoadOutcome = {
  readonly made: readonly MadeCall[]
  readonly ledger: readonly LedgerEntry[]
  readonly grownAt: number | null
  /** What is wrong with agents themselves. */
  readonly problems: readonly string[]
}

/** A run that can be judged, and what kept it from being the run that it should have been. */
export type RunOutcome = { readonly run: Run; readonly problems: readonly string[] }

/** Makes the whole load against a stand-in of its own; all agents begin at the same word. */
export async function runLoad(options: LoadOptions): Promise<LoadOutcome> {
  await using started = new AsyncDisposableStack()
  const provider = started.adopt(await startProvider({ ...ANSWERS, seed: options.seed }), (it) =>
    it.stop(),
  )
  const agents = Array.from({ length: AGENTS }, (_, agent) => {
    const { callsOfCaller, counterUrl } = options
    return new Agent(
      options.spawn(provider, { agent, callsOfCaller, url: provider.url, counterUrl }),
    )
  })
  started.defer(() => agents.forEach((agent) => agent.kill()))
  await Promise.all(agents.map(({ ready }) => ready))
  for (const agent of agents) agent.begin()
  const ended = Promise.all(agents.map((agent) => agent.ended))
  let isOver = false
  const watched = watch(provider, options, agents, () => isOver)
  const problems = (await ended).filter((problem) => problem !== null)
  isOver = true
  const grownAt = await watched
  // The stand-in may still be noticing that a killed agent is gone.
  while ((await provider.inFlight()).length > 0) await passes(LOOK_EVERY_MS)
  const ledger = await provider.ledger()
  return { made: agents.flatMap(({ made }) => made), ledger, grownAt, problems }
}

/** Does what is to be done when so much is billed. @returns when answers grew, epoch ms; `null` if they never did */
async function watch(
  provider: Provider,
  { unit, limit, halfway }: LoadOptions,
  agents: readonly Agent[],
  isOver: () => boolean,
): Promise<number | null> {
  let grownAt: number | null = null
  while (!isOver()) {
    const share = Number(billedSoFar(await provider.summary(), unit)) / Number(limit)
    if (grownAt === null && share >= GROWTH_AT) {
      await provider.configure(GROWN_ANSWERS)
      grownAt = performance.timeOrigin + performance.now()
    }
    if (share >= KILL_AT) {
      await halfway(agents)
      break
    }
    await passes(LOOK_EVERY_MS)
  }
  return grownAt
}
