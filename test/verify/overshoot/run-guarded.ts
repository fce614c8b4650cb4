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
import type { Run, Verdict } from './judge.ts'
import { GROWN_FROM } from './load.ts'
import { type Load, type LoadOutcome, runLoad, type RunOutcome } from './run-load.ts'
import { KILL_AFTER_CALLS, SETTLE_AFTER_S, type Variant } from './variants.ts'

/** Killed when its answers have begun to be long. Its spool is its own, so that it stays unsent until it is wanted. */
const VICTIM = { agent: 3, diesBefore: GROWN_FROM + 1 }
const LOOK_EVERY_MS = 100
/** After the credit of a silent guard is settled, by whatever clock. */
const SETTLED_MARGIN_MS = 15_000

type Stage = {
  readonly variant: Variant
  readonly folder: string
  readonly policyFile: string
  processor: ProcessorProcess
  /** Once the processor has been killed. */
  restarted: Promise<void> | null
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
  const stage: Stage = { variant, folder, policyFile, processor, restarted: null }
  started.defer(() => stage.processor.stop())
  const seen = await runLoad({
    ...load,
    counterUrl: null,
    victim: variant.kill === 'agent' ? VICTIM : null,
    spawn: (provider, plan) =>
      spawnAgent(agentFile, [JSON.stringify(plan)], {
        processor,
        hosts: hostsOf(provider),
        spoolDirectory: spoolOf(stage, plan.agent === VICTIM.agent ? 'victim' : 'others'),
        environment: { TOKENFUSE_AGENT: 'worker' },
      }),
    onMade: (calls) => {
      if (variant.kill === 'processor' && calls === KILL_AFTER_CALLS)
        stage.restarted = restart(stage)
    },
  })
  await stage.restarted
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

async function restart(stage: Stage): Promise<void> {
  const { dataDirectory, port } = stage.processor
  await stage.processor.stop('SIGKILL')
  stage.processor = await startProcessorProcess(dataDirectory, {
    port,
    policyFile: stage.policyFile,
  })
}

async function conclude(
  stage: Stage,
  { unit, limit }: Load,
  { made, ledger, victimLastSeenAt: fromMs, problems }: LoadOutcome,
): Promise<RunOutcome> {
  const { processor } = stage
  await sendLeftSpans(processor, spoolOf(stage, 'others'))
  const held = fromMs === null ? 0n : await settledCredit(processor)
  await sendLeftSpans(processor, spoolOf(stage, 'victim'))
  const { spent, unconfirmed } = await budgetStatus(processor)
  await processor.stop()
  const events = await readUsageEvents(processor.dataDirectory)
  const verdicts = new Map<string, Verdict>()
  for (const { responseId, time, verdict } of events) {
    if (responseId === null) continue
    verdicts.set(responseId, { admittedAt: Date.parse(time), cap: verdict?.cap ?? null })
  }
  const lost = fromMs === null ? null : { held, unconfirmed: BigInt(unconfirmed), fromMs }
  const run: Run = { unit, limit, made, ledger, verdicts, lost, counted: BigInt(spent) }
  return { run, problems }
}

/** What the killed agent had been lent, once the governor has given it up and charged it to the budget. */
async function settledCredit(processor: ProcessorProcess): Promise<bigint> {
  const endMs = performance.now() + SETTLE_AFTER_S * 1000 + SETTLED_MARGIN_MS
  for (;;) {
    const { unconfirmed, held, outstanding } = await budgetStatus(processor)
    const isSettled = unconfirmed !== '0' && held === '0' && outstanding === '0'
    if (isSettled || performance.now() > endMs) return BigInt(unconfirmed)
    await passes(LOOK_EVERY_MS)
  }
}

async function budgetStatus(processor: ProcessorProcess): Promise<BudgetStatus> {
  const { budgets } = await processor.status()
  const [status] = budgets
  if (!status) throw new Error('the processor knows of no budget')
  return status
}
