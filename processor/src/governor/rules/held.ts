import type { Decision } from '@tokenfuse/protocol'
import type { Row } from '../table.ts'

/** A rule that holds in a scope, with the decision that follows. `key` is rule and scope. */
export type Held = Row & {
  readonly rule: string
  /** Key of the rule scope. */
  readonly scope: string
  /** End of the window that it is about; `null` where that has none. */
  readonly untilMs: number | null
  /** Log time at which it ends, as its condition does not hold any more; `null` while it does. */
  clearMs: number | null
  readonly decision: Decision
  /** An operator has let go of what it stopped: it holds on, and does nothing. */
  isLifted: boolean
}

export const heldKey = (rule: string, scope: string): string => `${rule}|${scope}`
