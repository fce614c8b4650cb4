import { type RuleLevel, type RuleWindow, scopeKeyOf } from '@tokenfuse/protocol'
import { type Amount, amountFrom } from '../amount.ts'
import { NO_LINKS, type RecentRow } from '../detect/recent-table.ts'
import { NEW_ROW } from '../table.ts'
import type { Held } from './held.ts'

/** What was used in one window of time. */
export type WindowCount = {
  fromMs: number
  tokens: number
  /** In pico-USD. */
  cost: Amount
  calls: number
}

/** What rules know of everything, of an agent, or of a task of an agent. `key` is the scope's name. */
export type RuleScope = RecentRow & {
  readonly level: RuleLevel
  readonly agent: string | null
  readonly task: string | null
  /** Key of the scope of the agent; that of this one where there is none. */
  readonly agentKey: string
  readonly counts: Partial<Record<RuleWindow, WindowCount>>
  /** The minute of log time in which forecasts were last looked at. */
  projectedMinute: number
  /** Log time of its last call. */
  lastMs: number
  /** Rules that hold here, by name; kept in a table of their own. */
  held: Map<string, Held> | null
  /** Limits by variable, as of `limitsEpoch`; worked out anew where that has passed. */
  limits: Map<string, Amount | null> | null
  limitsEpoch: number
}

export function newRuleScope(
  key: string,
  use: number,
  names: Pick<RuleScope, 'level' | 'agent' | 'task'>,
): RuleScope {
  return {
    key,
    order: use,
    lastUse: use,
    ...names,
    agentKey: names.agent === null ? key : scopeKeyOf([['agent', names.agent]]),
    counts: {},
    projectedMinute: 0,
    lastMs: 0,
    held: null,
    limits: null,
    limitsEpoch: 0,
    ...NEW_ROW,
    ...NO_LINKS,
  }
}

type CountJson = readonly [fromMs: number, tokens: number, cost: string, calls: number]
type ScopeJson = Pick<
  RuleScope,
  'order' | 'lastUse' | 'level' | 'agent' | 'task' | 'projectedMinute' | 'lastMs'
> & { readonly counts: Partial<Record<RuleWindow, CountJson>> }

export const ruleScopeCodec = Object.freeze({
  encode: (row: RuleScope): ScopeJson => {
    const { order, lastUse, level, agent, task, projectedMinute, lastMs } = row
    const counts: Partial<Record<RuleWindow, CountJson>> = {}
    for (const [window, { fromMs, tokens, cost, calls }] of entriesOf(row.counts)) {
      counts[window] = [fromMs, tokens, String(cost), calls]
    }
    return { order, lastUse, level, agent, task, projectedMinute, lastMs, counts }
  },
  decode: ({ counts: texts, ...json }: ScopeJson, key: string): RuleScope => {
    const counts: Partial<Record<RuleWindow, WindowCount>> = {}
    for (const [window, [fromMs, tokens, cost, calls]] of entriesOf(texts)) {
      counts[window] = { fromMs, tokens, cost: amountFrom(cost), calls }
    }
    return { ...newRuleScope(key, json.order, json), ...json, counts }
  },
})

function entriesOf<Value>(counts: Partial<Record<RuleWindow, Value>>): [RuleWindow, Value][] {
  return Object.entries(counts) as [RuleWindow, Value][]
}
