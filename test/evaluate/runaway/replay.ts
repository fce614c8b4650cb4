import type { UsageEvent } from '@tokenfuse/protocol'
import { type Kind, type Level, LEVELS } from '../../../processor/src/governor/detect/levels.ts'
import { RunawayDetector } from '../../../processor/src/governor/detect/runaway-detector.ts'
import { usageEvent } from '../../support/usage-event.ts'
import type { RecordedRun, TokenScale } from './recording.ts'

/** The first alarm of a run at a level: a run that leaps a level has an alarm at it all the same. */
export type Alarm = { readonly level: Level; readonly kind: Kind; readonly step: number }

const STEP_MS = 30_000
/** Long enough for a run to be over before the next one begins. */
const BETWEEN_RUNS_MS = 7_200_000

/**
 * Runs one after the other through the detector of production: each is held against those before it. A capped run
 * counts as one that was cancelled: it is no measure for others.
 * @returns the alarms of each run, mildest first
 */
export function replay(runs: readonly RecordedRun[], scale: TokenScale): Alarm[][] {
  const detector = new RunawayDetector()
  let timeMs = 0
  return runs.map((run) => {
    const alarms: Alarm[] = []
    for (const [at, step] of run.steps.entries()) {
      timeMs += STEP_MS
      const call = callOf(run, step.tokens[scale], at === 0 ? null : (run.steps[at - 1] ?? null))
      for (const { level, kind } of detector.observe(call, timeMs)) {
        for (const passed of LEVELS.slice(alarms.length, LEVELS.indexOf(level) + 1)) {
          alarms.push({ level: passed, kind, step: at + 1 })
        }
      }
    }
    const outcome = run.capped ? 'cancelled' : run.resolved ? 'completed' : 'failed'
    detector.endTask('default', run.model, run.run, outcome, timeMs)
    timeMs += BETWEEN_RUNS_MS
    detector.advance(timeMs)
    return alarms
  })
}

/** A call tells of the tools that were called since the one before. */
function callOf(
  run: RecordedRun,
  tokens: number,
  told: { readonly call: string; readonly result: string } | null,
): UsageEvent {
  return usageEvent({
    agent: run.model,
    taskType: run.source === '' ? null : run.source,
    task: run.run,
    requestModel: run.model === '' ? 'unknown' : run.model,
    traceId: run.run.padStart(32, '0'),
    tokens: {
      input: tokens,
      cacheRead: null,
      cacheWrite: null,
      cacheWrite1h: null,
      output: 0,
      reasoning: null,
    },
    toolCallKeys: told ? [told.call] : [],
    toolResultKeys: told ? [told.result] : [],
  })
}
