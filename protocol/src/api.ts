import type { Action, BudgetUnit, Decision } from './decision.ts'
import type { LogEntry } from './log-event.ts'
import type { Rule, Severity } from './policy/rules/schema.ts'
import type { Budget, DetectionAction, DetectionLevel } from './policy/schema.ts'
import type { Dimension } from './scope.ts'
import type { UsageEvent } from './usage-event.ts'

/** Sums over calls. Unknown counts add nothing; `estimatedCalls` says how many rest on an estimate. */
export type UsageTotals = {
  readonly calls: number
  /** Calls without the provider's own usage: partial or estimated. */
  readonly estimatedCalls: number
  /** Calls priced by family or ceiling. */
  readonly unpricedCalls: number
  readonly refusedCalls: number
  readonly inputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
  readonly outputTokens: number
  readonly reasoningTokens: number
  readonly totalTokens: number
  /** pico-USD as decimal strings; web searches and the like are in the total alone. */
  readonly inputCostPicoUsd: string
  readonly outputCostPicoUsd: string
  readonly costPicoUsd: string
}

export type UsageRow = UsageTotals & {
  /** The row's value in each dimension asked for. */
  readonly values: Readonly<Partial<Record<Dimension, string>>>
}

/**
 * `GET /v1/usage?by=agent&by=task&period=2026-01-31&top=20`: rows by falling cost. The period is a day, days such
 * as `2026-01-01..2026-01-31`, `today` or `all`; a tag goes alone or with `agent`. With `scope=agent%3Dsupport` only the calls of that scope count.
 */
export type UsageAnswer = {
  readonly offset: number
  readonly by: readonly Dimension[]
  /** Only its calls count; `*` is all. */
  readonly scope: string
  /** A day in the policy's time zone, or `all`. */
  readonly period: string
  readonly rows: readonly UsageRow[]
  /** Of all rows, those beyond `top` included. */
  readonly total: UsageTotals
}

export type TaskCostsBy = 'agent' | 'taskType'

/** What tasks cost that ended; a task's cost is that of all its calls, whichever agents made them. */
export type TaskCostRow = {
  readonly values: Readonly<Partial<Record<TaskCostsBy, string>>>
  readonly completed: number
  readonly failed: number
  readonly cancelled: number
  readonly completedCostPicoUsd: string
  /** Of failed and cancelled tasks. */
  readonly otherCostPicoUsd: string
  /** Rounded down; `null` where none was completed. */
  readonly costPerCompletedPicoUsd: string | null
  readonly tokensPerCompleted: number | null
}

/** `GET /v1/task-costs?by=agent&by=taskType&top=20`: ended tasks, the dearest rows first. */
export type TaskCostsAnswer = {
  readonly offset: number
  readonly by: readonly TaskCostsBy[]
  readonly rows: readonly TaskCostRow[]
}

export type BudgetStatus = {
  readonly budget: string
  readonly scope: string
  readonly mode: 'hard' | 'soft' | 'shadow'
  readonly unit: BudgetUnit
  readonly window: string
  readonly windowFrom: string
  readonly windowUntil: string | null
  /** Amounts in the budget's unit, as decimal strings. */
  readonly limit: string
  readonly spent: string
  readonly outstanding: string
  readonly held: string
  readonly unconfirmed: string
  readonly usedRatio: number
}

/** What one window of a budget comes to. Amounts in the budget's unit, as decimal strings. */
export type ForecastFigures = {
  /** As likely passed as not. */
  readonly endOfWindow: string
  /** In four of five windows the end lies between these. */
  readonly lower: string
  readonly upper: string
  /** That the window comes to more than the limit, 0 to 1. */
  readonly breachProbability: number
  /** When the limit is passed, where a breach is to be expected; `null` where it is not. */
  readonly exhaustedAt: string | null
  /** How earlier forecasts at this point of the window did. */
  readonly pastError: {
    /** Windows that were forecast and are over, older ones counting less. */
    readonly windows: number
    /** Mean distance from what came, in mean windows; `null` where there are none. */
    readonly meanError: number | null
    /** The share of them that ended between `lower` and `upper`; `null` where there are none. */
    readonly coverage: number | null
  }
}

/** The forecast of one counter of a calendar window that runs. */
export type BudgetForecast = {
  readonly budget: string
  readonly scope: string
  readonly unit: BudgetUnit
  readonly window: string
  readonly windowFrom: string
  readonly windowUntil: string
  readonly limit: string
  readonly spent: string
  readonly forecast: ForecastFigures | null
  /** Why there is no forecast; `null` where there is one. */
  readonly missing: 'insufficient history' | 'too many scopes' | null
}

/** `GET /v1/forecasts?budget=ID&scope=SCOPE&top=100`: of the fullest counters with calendar windows. */
export type ForecastsAnswer = {
  readonly offset: number
  /** What is now for them; `null` before the first event. */
  readonly logTime: string | null
  readonly forecasts: readonly BudgetForecast[]
}

/** A figure that gave something away, and the limit that it has reached. */
export type DetectionEvidence = {
  readonly rule: string
  readonly value: number
  readonly limit: number
}

/** A runaway or a spike that was detected. */
export type DetectionStatus = {
  readonly id: string
  readonly kind: 'repetition' | 'bloat' | 'fan-out' | 'spike'
  /** The highest level it has reached. */
  readonly level: DetectionLevel
  /** Whose it is: a task such as `agent=writer,task=t-1`, or an agent, a user or a tenant. */
  readonly scope: string
  /** `null` where it is a spike. */
  readonly run: {
    readonly agent: string
    /** `null` where the task is unknown. */
    readonly task: string | null
    readonly trace: string
    /** Calls so far. */
    readonly step: number
  } | null
  readonly from: string
  /** When it was over; `null` while it is not. */
  readonly until: string | null
  readonly reason: string
  readonly evidence: readonly DetectionEvidence[]
  /** Tokens when it was last told of. */
  readonly tokens: number
  /** What an end then would have saved, as it looked then; `null` where nothing is known of that. */
  readonly savesTokens: number | null
  /** What an end at its first level would have saved, as it came; `null` until it is over, or where it was ended. */
  readonly wouldHaveSavedTokens: number | null
  readonly action: DetectionAction
  /** The decision that was made; `null` where none was to be. */
  readonly decision: string | null
}

/** `GET /v1/detections`: runaways and spikes of now and of late, the newest first; 1,000 at most. */
export type DetectionsAnswer = {
  readonly offset: number
  readonly detections: readonly DetectionStatus[]
}

/** A rule of `budget-alerts.yaml` in force. */
export type RuleStatus = Pick<Rule, 'name' | 'severity' | 'condition' | 'action'> & {
  /** Why it cannot hold for anyone now, such as a limit that is not set; `null` where it can. */
  readonly inactive: string | null
  /** Why it will hardly ever hold, such as a hard budget that stops before it; `null` where nothing speaks against it. */
  readonly note: string | null
  /** For how many scopes it holds now. */
  readonly holding: number
}

/** Something that people are told of: sent at least once, known again by its id. */
export type Notification = {
  /** The decision's, or that of the detection with its level. */
  readonly id: string
  readonly time: string
  readonly source: 'rule' | 'detection'
  /** Of the rule, or the kind that was detected. */
  readonly name: string
  readonly severity: Severity
  /** What is done about it. */
  readonly action: string
  /** Such as `agent=support`; `*` is everything. */
  readonly scope: string
  readonly text: string
}

/** How telling people goes. */
export type NotifyStatus = {
  /** Host of the webhook; `null` where none is set, and then nobody is told. */
  readonly to: string | null
  readonly waiting: number
  /** Since this processor began. */
  readonly sent: number
  /** Why the last one was not sent; `null` where it was. */
  readonly problem: string | null
}

export type DayUsage = {
  /** In the policy's time zone. */
  readonly day: string
  readonly totals: UsageTotals
}

/** What an agent does for one task, or within one trace, that has called in the last hour. */
export type AgentRun = {
  /** `null` where the task is unknown. */
  readonly task: string | null
  /** Of its newest call. */
  readonly trace: string
  /** Of its first call. */
  readonly model: string
  readonly calls: number
  readonly tokens: number
  /** Input of the first and the newest call, and by how much it grows with each. */
  readonly firstContextTokens: number
  readonly lastContextTokens: number
  readonly contextTokensPerCall: number
  /** Tokens of the next five calls' input, if it goes on growing so. */
  readonly nextCallsTokens: number
  /** Tokens of turns whose tool calls and results repeated earlier ones. */
  readonly repeatedTokens: number
  readonly lastAt: string
}

/** `GET /v1/agents/{name}/report`: what is known of an agent, for whoever looks into it. */
export type AgentReport = {
  readonly agent: string
  readonly offset: number
  readonly logTime: string
  /** The day that tasks, steps and models are of: today where it called today, or else `all`. */
  readonly period: string
  /** The last 28 on which it called. */
  readonly days: readonly DayUsage[]
  /** Today so far against the days before it, on which it called. */
  readonly baseline: {
    readonly days: number
    readonly medianTokens: number | null
    readonly todayTokens: number
    readonly ratio: number | null
  }
  /** The dearest ten of each. */
  readonly tasks: readonly UsageRow[]
  readonly steps: readonly UsageRow[]
  readonly models: readonly UsageRow[]
  /** Those that spent the most. */
  readonly runs: readonly AgentRun[]
  /**
   * In the newest call of each of `runs`, as the preload estimates it by characters; `null` where it told nothing: prompts
   * themselves do not leave the agent's process.
   */
  readonly systemPromptShare: number | null
  readonly detections: readonly DetectionStatus[]
  /** Those in force for it or its tasks alone. */
  readonly decisions: readonly Decision[]
}

/** What one agent used in all. */
export type AgentStatus = UsageTotals & {
  readonly agent: string
  /** The fullest of the budgets that are for this agent, by their scope or by what they match; `null` for none. */
  readonly budget: BudgetStatus | null
}

/** `GET /v1/status?budget=ID`: with `budget`, which may come more than once, only its counters. */
export type StatusAnswer = {
  readonly version: string
  readonly offset: number
  readonly logTime: string | null
  /** 0 where no policy is in force. */
  readonly policyVersion: number
  /** Why the policy file is not what is in force; `null` where it is, or where there is no file. */
  readonly policyProblem: string | null
  readonly inactiveBudgets: readonly { readonly budget: string; readonly reason: string }[]
  /** Those of the policy in force. */
  readonly rules: readonly RuleStatus[]
  readonly notify: NotifyStatus
  /** The fullest 1,000 of all counters, the fullest first. */
  readonly budgets: readonly BudgetStatus[]
  /** How many there are. */
  readonly counters: number
  /** The 50 that cost the most, the dearest first. */
  readonly agents: readonly AgentStatus[]
  /** Of all time, and of the day of now in the policy's time zone. */
  readonly total: UsageTotals
  readonly today: { readonly day: string; readonly total: UsageTotals }
  /** Of the fullest 20 counters with calendar windows. */
  readonly forecasts: readonly BudgetForecast[]
  /** Runaways and spikes that are not over, the newest first. */
  readonly detections: readonly DetectionStatus[]
  /** Those in force, the severest first; 1,000 at most. */
  readonly decisions: readonly Decision[]
  readonly guards: number
  readonly deadLetters: number
  /** Spans that agents gave up before they could tell them, as they told since this processor began. */
  readonly droppedSpans: number
  /** `bytes` is `null` where the log is in Kafka. */
  readonly log: { readonly events: number; readonly bytes: number | null }
}

/** `GET /v1/decisions`: those in force. */
export type DecisionsAnswer = {
  readonly offset: number
  readonly decisions: readonly Decision[]
}

/** `GET /v1/budgets`: the budgets of the policy in force. */
export type BudgetsAnswer = {
  /** Of the policy in force; send it back as `if-match` to change only what you have seen. */
  readonly policyVersion: number
  readonly budgets: readonly Budget[]
}

/**
 * `PUT`, `PATCH` and `DELETE /v1/budgets/{id}`: the version in which the change came into force. A budget is sent as
 * the policy file has it; `PATCH` leaves what is not named as it is. Those of runs (`runBudgetId`) are in no file.
 */
export type BudgetChangeAnswer = { readonly policyVersion: number }

/** `POST /v1/overrides` */
export type OverrideAnswer = {
  readonly id: string
  readonly offset: number
  readonly budget: string
  readonly scope: string
  readonly unit: BudgetUnit
  /** The limit now in force for the scope, in the budget's unit. */
  readonly limit: string
  readonly until: string | null
}

/** `POST /v1/decisions/{id}/lift` */
export type LiftAnswer = {
  readonly offset: number
  /** The one that was in force; another one may have been named whose place it had taken. */
  readonly decision: string
  readonly scope: string
  readonly rule: string | null
  readonly action: Action
}

/** `GET /v1/decisions/{id}` */
export type ExplainAnswer = ExplainedDecision | ExplainedRefusal

/** What the governor decided, from which inputs. */
export type ExplainedDecision = {
  readonly kind: 'decision'
  readonly decision: Decision
  /** Whether the decision still holds. */
  readonly inForce: boolean
  /** The event that led to it; `null` where the log does not reach that far back any more. */
  readonly cause: LogEntry | null
  /** The oldest offset that the log still has. */
  readonly logReachesBackTo: number
}

/** A call that its guard refused by itself, for want of credit. */
export type ExplainedRefusal = {
  readonly kind: 'refusal'
  readonly id: string
  /** The call that was refused, where the log has it. */
  readonly call: LogEntry<UsageEvent>
  /** How its budget stands now; `null` where nothing counts in it any more. */
  readonly budget: BudgetStatus | null
  readonly logReachesBackTo: number
}
