import type { Decision, DetectionAction, Dimension } from '@tokenfuse/protocol'
import { scopeKeyOf, UNKNOWN } from '@tokenfuse/protocol'
import type { Row } from '../table.ts'
import type { Detection, Evidence } from './detection.ts'
import { explain, explainSpike } from './explain.ts'
import type { Kind, Level } from './levels.ts'
import type { SpikeDetection } from './spike-detector.ts'

/** What is known of a runaway or a spike whenever a detector speaks of it. */
export type AlertFacts = {
  readonly kind: Kind | 'spike'
  readonly level: Level
  /** What a decision on it holds for. */
  readonly scope: string
  /** Whether that is the run alone; else it can only be told of. */
  readonly isActionable: boolean
  /** `null` where it is a spike. */
  readonly run: {
    readonly name: string
    readonly agent: string
    readonly task: string | null
    readonly trace: string
    readonly step: number
  } | null
  readonly reason: string
  readonly evidence: readonly AlertEvidence[]
  readonly tokens: number
  readonly savesTokens: number | null
}

export type AlertEvidence = Omit<Evidence, 'rule'> & { readonly rule: string }

/** One that was told of, as long as it is remembered. `key` is its id. */
export type AlertRow = Row & {
  readonly tenant: string
  readonly fromMs: number
  facts: AlertFacts
  /** Tokens when it was first told of. */
  readonly firstTokens: number
  action: DetectionAction
  decisionId: string | null
  /** The decision in force. */
  decision: Decision | null
  /** Log time at which the decision ends by itself. */
  holdsUntilMs: number
  untilMs: number | null
  /** An operator has let it go: it does nothing any more, whatever level it rises to. */
  isLifted: boolean
  wouldHaveSavedTokens: number | null
}

/** Alerts of the same thing: what comes later is a new level of what is open. */
export const alertKey = ({ kind, scope, run }: Pick<AlertFacts, 'kind' | 'scope' | 'run'>) =>
  run ? runKey(kind, run.agent, run.name) : `${kind}|${scope}`

export const runKey = (kind: Kind | 'spike', agent: string, run: string) =>
  [kind, agent, run].join('\u0000')

/** The name under which decisions on it are told apart from others on the same scope. */
export const ruleOf = (kind: Kind | 'spike') => (kind === 'spike' ? kind : `runaway.${kind}`)

/** @param whose task and session of the call that gave it away, as it names them */
export function runawayFacts(
  detection: Detection,
  whose: { readonly task: string; readonly session: string },
): AlertFacts {
  const { kind, level, run: name, agent, trace, step, tokens, evidence, savesTokens } = detection
  const task = whose.task === UNKNOWN ? null : name
  const named = namedScope(task, whose.session)
  // What has fanned out is more than one agent's.
  const isOfMany = kind === 'fan-out' && named.length > 0
  return {
    kind,
    level,
    scope: scopeKeyOf(isOfMany ? named : [['agent', agent], ...named]),
    isActionable: named.length > 0,
    run: { name, agent, task, trace, step },
    reason: explain(detection),
    evidence,
    tokens,
    savesTokens,
  }
}

/** What tells the calls of a run from others: its task, or else its session; nothing where neither is known. */
function namedScope(task: string | null, session: string): [Dimension, string][] {
  if (task !== null) return [['task', task]]
  return session === UNKNOWN ? [] : [['session', session]]
}

export function spikeFacts(spike: SpikeDetection): AlertFacts {
  const { level, dimension, scope, score, limit, tokens, excessTokens } = spike
  return {
    kind: 'spike',
    level,
    scope: scopeKeyOf([[dimension as SpikeDimension, scope]]),
    // To stop everybody is for a budget to do.
    isActionable: dimension !== 'tenant',
    run: null,
    reason: explainSpike(spike),
    evidence: [{ rule: 'times_recent_top', value: score, limit }],
    tokens,
    savesTokens: excessTokens,
  }
}

export const SPIKE_DIMENSIONS = ['tenant', 'agent', 'user'] as const
export type SpikeDimension = (typeof SPIKE_DIMENSIONS)[number]
