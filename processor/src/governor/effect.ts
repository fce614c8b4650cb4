import type {
  Account,
  Decision,
  DetectionStatus,
  ErrorCode,
  LogEvent,
  Notification,
  UsageEvent,
} from '@tokenfuse/protocol'

export type RecalledAccount = {
  readonly budget: string
  readonly scope: string
  readonly windowFromMs: number
}

/** What the shell is to do or to count after an event; plain data. */
export type Effect =
  | { readonly type: 'counted'; readonly event: UsageEvent }
  | { readonly type: 'duplicate'; readonly event: UsageEvent }
  /** A call that was counted by an estimate, as another instrumentation tells it. */
  | { readonly type: 'improved'; readonly event: UsageEvent }
  | { readonly type: 'late'; readonly event: UsageEvent }
  | {
      readonly type: 'rejected'
      readonly event: LogEvent
      readonly code: ErrorCode
      readonly message: string
    }
  | { readonly type: 'policy'; readonly version: number }
  | { readonly type: 'decision'; readonly decision: Decision }
  /** To be told to people: at least once, by its id. */
  | { readonly type: 'notify'; readonly notification: Notification }
  | {
      readonly type: 'detection'
      /** Whether it was not known, has reached a higher level, or is over. */
      readonly change: 'began' | 'rose' | 'ended'
      readonly detection: DetectionStatus
    }
  | {
      readonly type: 'credit'
      /** Of the event after which the accounts stood so. */
      readonly offset: number
      readonly guard: string
      readonly accounts: readonly Account[]
    }
  | {
      readonly type: 'recall'
      readonly guard: string
      readonly accounts: readonly RecalledAccount[]
    }
  | {
      readonly type: 'diverged'
      readonly offset: number
      readonly expected: string
      readonly found: string
    }
