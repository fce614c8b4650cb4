import type { DimensionValues, UsagePart, UsageSource, Verdict } from '@tokenfuse/protocol/names'
import type { Endpoint, RequestFacts } from '../providers/index.ts'
import type { Attribution } from '../telemetry/call-record.ts'

/** A call that wants to go out. */
export type GuardedCall = {
  readonly endpoint: Endpoint
  readonly facts: RequestFacts
  /** The request's body; `null` where it cannot be read. */
  readonly bodyText: string | null
  /** Whether the body may be changed: it is no stream and carries no signature. */
  readonly isChangeable: boolean
  readonly attribution: Attribution
  /** The call in every dimension that budgets count over. */
  readonly values: DimensionValues
}

export type Refusal = {
  readonly action: 'throttle' | 'pause' | 'block' | 'kill'
  readonly reason: string
  readonly decisionId: string
  readonly budget: string | null
  /** When to try again, in ms from now; `null` where that is pointless. */
  readonly retryAfterMs: number | null
}

export type Admission =
  | {
      readonly admit: true
      /** With a `cap`, the answer may not be longer than that: the request's output limit is to be lowered to it. */
      readonly verdict: Verdict
      /** When the call was admitted, in the governor's time, ms since 1970; `null` where that is not known. */
      readonly admittedAtMs: number | null
      /** The guard's own, given back to `settle`; `null` where nothing was reserved. */
      readonly reservation: unknown
    }
  | {
      readonly admit: false
      readonly refusal: Refusal
      readonly verdict: Verdict
      /** When, as `admittedAtMs`. */
      readonly refusedAtMs: number | null
    }

/** What became of an admitted call. */
export type CallOutcome = {
  readonly parts: readonly UsagePart[]
  readonly responseModel: string | null
  readonly source: UsageSource
}

/** Decides whether a call may go out. A guard that throws stops nothing: the call goes out. */
export interface Guard {
  /** Asked before any byte leaves; answers at once where it can. */
  admit(call: GuardedCall): Admission | Promise<Admission>
  /** Told once for every admission with a reservation. */
  settle(reservation: unknown, outcome: CallOutcome): void
}
