import type {
  BudgetUnit,
  CallProfile,
  DimensionValues,
  ProfileAnswer,
  Rate,
  Verdict,
} from '@tokenfuse/protocol/names'
import type { Hold, Stage } from './admission.ts'
import type { CallCost } from './call-cost.ts'

/** How time runs for a guard: `logMs` is log time as far as it is known; `elapsedMs` never goes back. */
export type Now = {
  readonly logMs: number
  readonly elapsedMs: number
  /** Whether the governor's stream is there, so that an answer can be waited for. */
  readonly reachable: boolean
}

/** What the governor has told of a kind of call. */
export type KnownProfile = Omit<ProfileAnswer, 'rate'> & { readonly rate: Rate }

/** A call that asks whether it may run. */
export type Ask = {
  readonly id: number
  readonly values: DimensionValues
  /** How much it matters: its place among `CRITICALITIES`. */
  readonly rank: number
  readonly profile: CallProfile
  /** What it may cost, given what the governor has told of calls like it. */
  readonly cost: (profile: KnownProfile | null) => CallCost
  /** `elapsedMs` until which it waits for credit. */
  readonly deadlineMs: number
}

export type WaitingAsk = Ask & {
  stage: Stage
  /** There was not credit enough for it at once. */
  isShort: boolean
}

export type RefusalCause =
  | 'exhausted'
  | 'scarce'
  | 'uncappable'
  | 'waited'
  | 'no_answer'
  | 'stale'
  | 'no_policy'
  | 'too_many_waiting'

/** Amounts in the budget's unit. */
export type AccountFigures = {
  readonly scope: string
  readonly unit: BudgetUnit
  readonly limit: bigint
  readonly spent: bigint
  readonly needed: bigint
}

export type FinalOutcome =
  | {
      readonly type: 'admit'
      readonly cap: number | null
      readonly holds: readonly Hold[]
      /** What it rests on where the governor could not be asked. */
      readonly basis?: Verdict['basis']
    }
  | {
      readonly type: 'refuse'
      readonly why: RefusalCause
      /** The budget that it failed on, or one of them. */
      readonly budget: string | null
      /** How that budget's account stood, where there was one. */
      readonly account?: AccountFigures
    }

export type AskOutcome = FinalOutcome | { readonly type: 'wait' }

/** An account that is asked for the first time. */
export type Opening = {
  readonly budget: string
  readonly scope: string
  readonly need: bigint
  readonly want: bigint
  readonly rank: number
  /** Its credit was asked back before it was there. */
  scarceUntilMs: number
}
