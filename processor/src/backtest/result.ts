import type { Action, BudgetUnit } from '@tokenfuse/protocol'

/** Calls and what they used. */
export type Amounts = {
  readonly calls: number
  readonly tokens: number
  readonly costPicoUsd: string
}

/** What the decisions of one budget, rule or detector did. */
export type SourceResult = {
  /** `budget`, `rule`, or `detector`. */
  readonly kind: 'budget' | 'rule' | 'detector'
  readonly name: string
  /** Decisions made, by action; those that ended others left out. */
  readonly decisions: Readonly<Partial<Record<Action, number>>>
  /** What they would have refused. */
  readonly refused: Amounts
  /** Of the first decision, and of the first call that it would have refused; `null` for none. */
  readonly firstDecisionAt: string | null
  readonly firstRefusalAt: string | null
}

/** A task of which calls would have been refused. */
export type HitTask = {
  readonly agent: string
  readonly task: string
  readonly decision: string
  readonly source: string
  readonly at: string
  readonly refused: Amounts
  /** As the app said; `null` where the file does not say. */
  readonly outcome: 'completed' | 'failed' | 'cancelled' | null
  /** By the app, or else since its last recorded call went well. */
  readonly isCompleted: boolean
}

export type TasksResult = {
  /** Tasks of which calls would have been refused. */
  readonly hit: number
  /** Of these, those that were completed, as the app said or as it looks: hit by mistake, or a limit too low. */
  readonly completedAsTold: number
  readonly completedAsItLooks: number
  /** What those would have been refused. */
  readonly refusedOfCompleted: Amounts
  /** Hit tasks beyond the bound of what is kept; they are in `hit` alone. */
  readonly notFollowed: number
  /** Those refused the most first; 50 at most. */
  readonly dearest: readonly HitTask[]
}

export type DecisionLine = {
  readonly id: string
  readonly at: string
  readonly source: string
  readonly action: Action
  readonly mode: 'enforce' | 'shadow'
  readonly scope: string
  readonly reason: string
}

/** How the forecasts of a budget did, as it keeps that itself at the end of the file. */
export type ForecastResult = {
  readonly budget: string
  readonly unit: BudgetUnit
  /** Scopes whose forecasts could be held against what came. */
  readonly scopes: number
  /** Windows forecast and over, weighted as forecasts weight them. */
  readonly windows: number
  /** Mean distance from what came, in mean windows. */
  readonly meanError: number
  /** The share of windows that ended inside the 80 % interval. */
  readonly coverage: number | null
}

/** What one policy would have done to the recorded calls. */
export type PolicyResult = {
  readonly spent: Amounts
  /** Spend that refusals would have avoided. */
  readonly avoided: Amounts
  readonly sources: readonly SourceResult[]
  readonly tasks: TasksResult
  readonly forecasts: readonly ForecastResult[]
  /** Detections that began, by kind and the highest level told. */
  readonly detections: Readonly<Record<string, number>>
  readonly inactive: readonly string[]
  /** The first 1,000. */
  readonly decisions: readonly DecisionLine[]
  readonly decisionCount: number
}

export type FileResult = {
  readonly lines: number
  readonly events: number
  readonly taskEnds: number
  /** Of other kinds, which a backtest has no use for. */
  readonly otherEvents: number
  /** Recorded again, or further back than duplicates are known. */
  readonly duplicates: number
  readonly late: number
  /** Calls that were refused when they were recorded: what they would have used is not known. */
  readonly refusedThen: number
  readonly from: string | null
  readonly until: string | null
  readonly badLines: number
  /** The first 100. */
  readonly bad: readonly { readonly line: number; readonly reason: string }[]
}

export type BacktestResult = {
  readonly file: FileResult
  readonly recorded: Amounts
  /** One for each policy that was asked for, in order. */
  readonly policies: readonly (PolicyResult & { readonly name: string })[]
}
