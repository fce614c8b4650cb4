import { join } from 'node:path'
import { spawnNode } from '../../support/child.ts'
import { judge, type Figures } from './judge.ts'
import { brokenPromises, loadProblems } from './promises.ts'
import { type Load, runLoad, type RunOutcome } from './run-load.ts'
import { type CounterRule, serveCounter, SharedCounter } from './shared-counter.ts'
import { runGuarded } from './run-guarded.ts'
import { LIMITS, type Variant } from './variants.ts'

export type Row = {
  readonly variant: Variant
  readonly figures: Figures
  /** The load was not what it should be, so that the figures show nothing. */
  readonly problems: readonly string[]
  /** Of tokenfuse alone: the others promise nothing. */
  readonly broken: readonly string[]
  readonly seconds: number
}

export const agentFile = join(import.meta.dirname, 'agent.ts')

export async function runVariant(variant: Variant, seed: number): Promise<Row> {
  const startedMs = performance.now()
  const { keeper, unit } = variant
  const load: Load = { unit, limit: LIMITS[unit], seed }
  const isGuarded = keeper === 'tokenfuse'
  const { run, problems } = isGuarded
    ? await runGuarded(variant, load, agentFile)
    : await runCounted(keeper, load)
  const figures = judge(run)
  return {
    variant,
    figures,
    problems: [...problems, ...loadProblems(figures, run)],
    broken: isGuarded ? brokenPromises(figures, run) : [],
    seconds: (performance.now() - startedMs) / 1000,
  }
}

/** The same load without tokenfuse, kept by a counter that all agents share. */
async function runCounted(rule: CounterRule, load: Load): Promise<RunOutcome> {
  await using started = new AsyncDisposableStack()
  const counter = started.adopt(
    await serveCounter(new SharedCounter(rule, Number(load.limit))),
    (server) => server.stop(),
  )
  const { made, ledger, problems } = await runLoad({
    ...load,
    counterUrl: counter.url,
    victim: null,
    spawn: (_provider, plan) =>
      spawnNode(agentFile, [JSON.stringify(plan)], {
        environment: { PATH: process.env['PATH'], OPENAI_API_KEY: 'any', ANTHROPIC_API_KEY: 'any' },
      }),
    onMade: () => {},
  })
  const { unit, limit } = load
  return { run: { unit, limit, made, ledger, verdicts: null, lost: null, counted: null }, problems }
}
