import type { Decision } from '@tokenfuse/protocol'
import type { Effect } from './effect.ts'
import { isoFromMs } from './iso-time.ts'
import type { GovernorState } from './state.ts'
import { NEW_ROW } from './table.ts'

const MAX_DECISIONS = 10_000

/** Remembers a decision and tells of it. */
export function recordDecision(state: GovernorState, decision: Decision, effects: Effect[]): void {
  state.decisions.set({ key: decision.id, order: state.nextOrder(), decision, ...NEW_ROW })
  const oldest = state.decisions.size > MAX_DECISIONS ? state.decisions.oldest() : undefined
  if (oldest !== undefined) state.decisions.delete(oldest)
  state.hash.fold(decision.id + decision.action)
  effects.push({ type: 'decision', decision })
}

/** A decision is over: the same is told with the action `allow`. */
export function recordEnd(
  state: GovernorState,
  decision: Decision,
  reason: string,
  effects: Effect[],
): void {
  const ended: Decision = {
    ...decision,
    id: `d${state.offset}-${effects.length}`,
    version: state.offset,
    action: 'allow',
    reason,
    from: isoFromMs(state.logTimeMs),
    until: null,
  }
  recordDecision(state, ended, effects)
}
