import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as passes } from 'node:timers/promises'
import { usdFromPicoUsd, type BudgetStatus } from '@tokenfuse/protocol'
import { readUsageEvents } from '../../support/event-log.ts'
import {
  hostsOf,
  makeTemporaryFolder,
  type ProcessorProcess,
  sendLeftSpans,
  spawnAgent,
  startProcessorProcess,
} from '../../support/processes.ts'
import type { Agent } from './agents.ts'
import type { Verdict } from './judge.ts'
import { type Load, type LoadOutcome, runLoad, type RunOutcome } from './run-load.ts'
import { SETTLE_AFTER_S, type Variant } from './variants.ts'

/** The agent that is killed; its spool is its own, so that it can be seen what is known without it. */
const VICTIM = 3
const LOOK_EVERY_MS = 100
const SETTLED_WITHIN_MS = 120_000

type Stage = {
  readonly variant: Variant
  readonly folder: string
  processor: ProcessorProcess
  killedAt: number | null
  readonly problems: string[]
}

/** The load with tokenfuse in front of it: a processor, one hard budget, and agents with nothing but the preload. */
export async function runGuarded(
  variant: Variant,
  load: Load,
  agentFile: string,
): Promise<RunOutcome> {
  await using started = new AsyncDisposableStack()
  const folder = started.adopt(makeTemporaryFolder(), (made) => made.remove()).path
  const policyFile = join(folder, 'tokenfuse.yaml')
  writeFileSync(policyFile, policyFor(load))
  const processor = await startProcessorProcess(join(folder, 'data'), { policyFile })
  const stage: Stage = { variant, folder, processor, killedAt: null, problems: [] }
  started.defer(() => stage.processor.stop())
  const seen = await runLoad({
    ...load,
    counterUrl: null,
    spawn: (provider, plan) =>
      spawnAgent(agentFile, [JSON.stringify(plan)], {
        processor,
        hosts: hostsOf(provider),
        spoolDirectory: spoolOf(stage, plan.agent === VICTIM ? 'victim' : 'others'),
        environment: { TOKENFUSE_AGENT: 'worker' },
      }),
    halfway: (agents) => killSomebody(stage, agents, policyFile),
  })
  return await conclude(stage, load, seen)
}

function policyFor({ unit, limit }: Load): string {
  const amount = unit === 'tokens' ? `tokens: ${limit}` : `usd: ${usdFromPicoUsd(limit)}`
  return `version: 1
budgets:
  - id: everything
    limit: { ${amount} }
    window: lifetime
    mode: hard
    settleAfter: ${SETTLE_AFTER_S}s
`
}

function spoolOf({ folder }: Stage, whose: 'victim' | 'others'): string {
  const path = join(folder, `spool-${whose}`)
  mkdirSync(path, { mode: 0o700, recursive: true })
  return path
}

async function killSomebody(
  stage: Stage,
  agents: readonly Agent[],
  policyFile: string,
): Promise<void> {
  const { kill } = stage.variant
  if (kill === 'agent') {
    stage.killedAt = performance.timeOrigin + performance.now()
    if (!agents[VICTIM]?.kill())
      stage.problems.push('the agent had ended before it could be killed')
  } else if (kill === 'processor') {
    const { dataDirectory, port } = stage.processor
    await stage.processor.stop('SIGKILL')
    stage.processor = await startProcessorProcess(dataDirectory, { port, policyFile })
  }
}

async function conclude(
  stage: Stage,
  { unit, limit }: Load,
  { problems: agentProblems, ...seen }: LoadOutcome,
): Promise<RunOutcome> {
  const { processor, killedAt } = stage
  await sendLeftSpans(processor, spoolOf(stage, 'others'))
  const held = killedAt === null ? 0n : await settledCredit(stage)
  await sendLeftSpans(processor, spoolOf(stage, 'victim'))
  const { spent, unconfirmed } = await budgetStatus(processor)
  await processor.stop()
  const events = await readUsageEvents(processor.dataDirectory)
  const verdicts = new Map<string, Verdict>()
  for (const { responseId, time, verdict } of events) {
    if (responseId === null) continue
    verdicts.set(responseId, { admittedAt: Date.parse(time), cap: verdict?.cap ?? null })
  }
  const lost =
    killedAt === null ? null : { held, unconfirmed: BigInt(unconfirmed), fromMs: killedAt }
  return {
    run: { unit, limit, ...seen, verdicts, lost, counted: BigInt(spent) },
    problems: [...stage.problems, ...agentProblems],
  }
}

/** What the killed agent had been lent, once the governor has given it up and charged it to the budget. */
async function settledCredit({ processor, problems }: Stage): Promise<bigint> {
  const startMs = performance.now()
  while (performance.now() - startMs < SETTLED_WITHIN_MS) {
    const { unconfirmed, held, outstanding } = await budgetStatus(processor)
    if (unconfirmed !== '0' && held === '0' && outstanding === '0') return BigInt(unconfirmed)
    await passes(LOOK_EVERY_MS)
  }
  problems.push('the credit of the killed agent was never settled')
  return 0n
}

async function budgetStatus(processor: ProcessorProcess): Promise<BudgetStatus> {
  const { budgets } = await processor.status()
  const [status] = budgets
  if (!status) throw new Error('the processor knows of no budget')
  return status
}
