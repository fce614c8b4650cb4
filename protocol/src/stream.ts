import type { Account, CallProfile, OutputQuantiles } from './credit.ts'
import type { Decision } from './decision.ts'
import type { Budget } from './policy/schema.ts'
import type { WireRate } from './pricing/rate.ts'

/** How long a guard may spend on credit after the last answered report. */
export const CREDIT_TTL_MS = 30_000
/** How much longer the governor waits before it holds the credit of a silent guard. */
export const CREDIT_TTL_MARGIN_MS = 2_000

/** A budget as guards know it. */
export type StreamBudget = Budget

export type ProfileAnswer = CallProfile & {
  readonly output: OutputQuantiles
  readonly rate: WireRate
  /** The model's whole context, a bound of its output; `null` where it is not known. */
  readonly contextTokens: number | null
}

export type PolicyMessage = {
  readonly type: 'policy'
  /** Offset of the `policy.set` event. */
  readonly version: number
  readonly budgets: readonly StreamBudget[]
}

/** All decisions in force; what is not in it has ended. Sent when a stream begins. */
export type DecisionsMessage = {
  readonly type: 'decisions'
  readonly decisions: readonly Decision[]
}

/** One new decision, which replaces that of the same key; `allow` ends it. */
export type DecisionMessage = { readonly type: 'decision'; readonly decision: Decision }

/** How accounts of this guard stand after the event at `offset`. */
export type CreditMessage = {
  readonly type: 'credit'
  readonly offset: number
  readonly accounts: readonly Account[]
}

/** Idle credit of these accounts is wanted back at once. */
export type RecallMessage = {
  readonly type: 'recall'
  readonly accounts: readonly {
    readonly budget: string
    readonly scope: string
    readonly windowFromMs: number
  }[]
}

/**
 * What `GET /v1/stream?guard=ID` sends, as server-sent events: `event` is the type, `id` the log offset after
 * which it was true, `data` this object as JSON. A stream begins with `policy` and `decisions`. A comment line
 * comes every 5 s.
 */
export type StreamMessage =
  | PolicyMessage
  | DecisionsMessage
  | DecisionMessage
  | CreditMessage
  | RecallMessage

/** The answer to `POST /v1/credit`. */
export type CreditAnswer = {
  readonly offset: number
  /** The governor's clock: log time in ms since 1970 at which the report was taken. */
  readonly logTimeMs: number
  readonly sequence: number
  readonly accounts: readonly Account[]
  readonly profiles: readonly ProfileAnswer[]
}
