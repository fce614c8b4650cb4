import type { Evidence } from './detection.ts'
import { levelsReached, type PerLevel } from './levels.ts'
import type { Run } from './run.ts'
import { limitAfter } from './task-baseline.ts'
import type { Measure } from './task-baselines.ts'

/** Where there is nothing to hold a task against. None of it is ground enough to end one. */
const TOKENS_WITHOUT_BASELINE: PerLevel = [500_000, 2_000_000, 8_000_000, Infinity]

export type Bloat = {
  readonly levels: number
  /** `null` where no level is reached. */
  readonly evidence: Evidence | null
}

/** Holds what a run has spent against what its likes had spent after as many steps. */
export function bloatOf(run: Run, measure: Measure | null): Bloat {
  if (!measure) {
    const levels = levelsReached(run.tokens, TOKENS_WITHOUT_BASELINE)
    const limit = TOKENS_WITHOUT_BASELINE[levels - 1]
    const value = run.tokens
    const rule = 'tokens_without_baseline'
    return { levels, evidence: limit === undefined ? null : { rule, value, limit } }
  }
  const { limits, factor } = measure
  let levels = 0
  let limit = 0
  for (let level = 0; level < 4; level++) {
    const next = limitAfter(limits, run.steps, level) * factor
    if (run.tokens <= next) break
    levels++
    limit = next
  }
  const value = run.tokens
  return { levels, evidence: levels === 0 ? null : { rule: 'tokens_after_step', value, limit } }
}
