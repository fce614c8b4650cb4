import type { TaskOutcome } from '@tokenfuse/protocol'
import type { Kind, Level } from './levels.ts'

/** What gave a runaway away. */
export const EVIDENCE = [
  /** Tokens of the run, against what its likes had spent after as many steps. */
  'tokens_after_step',
  /** Tokens of the run where there is nothing to hold it against. */
  'tokens_without_baseline',
  /** The same turns again and again: rounds. */
  'loop_rounds',
  /** The same call with the same result, among the last calls. */
  'same_call_and_result',
  /** Percent of the last calls with their results that were repeats. */
  'repeat_percent',
  /** Sub-agents of a trace. */
  'children',
  /** Sub-agents within sub-agents. */
  'depth',
  /** Tokens of a trace with sub-agents. */
  'trace_tokens',
] as const
export type EvidenceRule = (typeof EVIDENCE)[number]

/** A figure that reached the limit of the level told. */
export type Evidence = {
  readonly rule: EvidenceRule
  readonly value: number
  readonly limit: number
}

/** What a run is held against. */
export type Basis = {
  readonly of: 'agent' | 'everyone' | 'nothing'
  /** Finished tasks, or traces, that it was learned from. */
  readonly finished: number
}

/** A run, or a trace, has gone further than any level told of before. */
export type Detection = {
  readonly kind: Kind
  readonly level: Level
  /** The task, or the trace where the task is unknown; for `fan-out` the task at the root. */
  readonly run: string
  readonly agent: string
  readonly trace: string
  /** Calls so far of what is judged. */
  readonly step: number
  /** Tokens so far of what is judged. */
  readonly tokens: number
  /** At least one. */
  readonly evidence: readonly Evidence[]
  readonly basis: Basis
  /** For explanation; not all of it was decided on. `null` is unknown. */
  readonly figures: {
    /** What half of its likes had spent by then. */
    readonly medianTokens: number | null
    /** Growth of the context, in tokens a step, and that of half of its likes. */
    readonly contextSlope: number | null
    readonly medianContextSlope: number | null
    /** Tokens of the next five steps if the context goes on growing so. */
    readonly nextStepsTokens: number | null
    /** Tokens of turns that brought nothing new. */
    readonly repeatedTokens: number
  }
  /**
   * What an end now would save, if the run went on as half of those do that get as far; `null` where nothing is known
   * of that. What it did save, or would have, is known when the run is over.
   */
  readonly savesTokens: number | null
}

/** An alarm of a run that is over, with what it was worth. */
export type PastAlarm = {
  readonly kind: Kind
  readonly level: Level
  readonly step: number
  readonly tokens: number
}

/**
 * How a run came to its end: as the app says, or `stopped` by a decision on a detection. Only those that are completed
 * or failed are a measure for others.
 */
export type Ending = TaskOutcome | 'stopped'

/** A run, or a trace with sub-agents, is over. */
export type RunEnd = {
  readonly run: string
  readonly agent: string
  readonly trace: string
  readonly steps: number
  readonly tokens: number
  readonly ending: Ending
  /** By level and kind; an end at each would have saved `tokens` less those of the alarm. */
  readonly alarms: readonly PastAlarm[]
}
