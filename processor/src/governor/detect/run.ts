import type { UsageEvent } from '@tokenfuse/protocol'
import type { Ending, PastAlarm } from './detection.ts'
import type { Repetition } from './repetition.ts'
import { markOf } from './step-scale.ts'
import { NO_LINKS, type RecentRow } from './recent-table.ts'
import { hash32 } from './key-hash.ts'
import type { TreeCall } from './trace-tree.ts'
import { NEW_ROW } from '../table.ts'

/** What one agent does for one task, or within one trace where the task is unknown. */
export type Run = RecentRow & {
  readonly tenant: string
  /** The task, or the trace where it is unknown. */
  readonly run: string
  readonly isTrace: boolean
  readonly agent: string
  readonly taskType: string | null
  /** Of its first call. */
  readonly model: string
  readonly trace: string
  /** Calls that cost anything. */
  steps: number
  tokens: number
  /** Tokens of the first and the last call's input. */
  firstContext: number
  lastContext: number
  /** Tokens after the last step at or before each mark of `STEP_MARKS`. */
  path: number[]
  /** `null` until it told of tool results. */
  repetition: Repetition | null
  /** The measure that it was first held against. */
  measure: string | null
  /** How many of `LEVELS` were told of each kind. */
  repetitionTold: number
  bloatTold: number
  alarms: readonly PastAlarm[]
  lastMs: number
  /** Its newest call, with which a tree of its trace begins once there is another one. */
  readonly last: LastCall
  /** All runs of that name; found again after a restart. */
  group: readonly Run[] | null
  /** Log time from which it counts as over, as its task has ended; `null` while it has not. */
  endsMs: number | null
  /** How it ends, or would if it fell silent. */
  ending: Ending
}

/** What is remembered of a call for the sake of its trace; changed in place, since that costs every call the least. */
export type LastCall = {
  trace: string
  span: string
  parentSpan: string | null
  session: string
  guard: string | null
  tokens: number
  context: number
  /** Of the context, those of the system prompt, as estimated; `null` where nothing is known. */
  system: number | null
}

/** @returns the newest call of a run as a tree sees it */
export function lastCallOf({ agent, last }: Run): TreeCall {
  const { span, parentSpan, session, guard, tokens, context } = last
  const actor = hash32(session, hash32(agent, hash32(guard ?? '')))
  return { span, parentSpan, actor, tokens, context }
}

const NO_ALARMS: readonly PastAlarm[] = Object.freeze([])

/** A run before its first call. */
export function beginRun(
  key: string,
  use: number,
  names: Pick<Run, 'tenant' | 'run' | 'isTrace' | 'agent' | 'taskType' | 'model' | 'trace'>,
): Run {
  return {
    key,
    order: use,
    lastUse: use,
    ...names,
    steps: 0,
    tokens: 0,
    firstContext: 0,
    lastContext: 0,
    path: [],
    repetition: null,
    measure: null,
    repetitionTold: 0,
    bloatTold: 0,
    alarms: NO_ALARMS,
    lastMs: 0,
    last: {
      trace: '',
      span: '',
      parentSpan: null,
      session: '',
      guard: null,
      tokens: 0,
      context: 0,
      system: null,
    },
    group: null,
    endsMs: null,
    ending: 'completed',
    ...NEW_ROW,
    ...NO_LINKS,
  }
}

/** Books a call. @param tokens all of it, more than 0 @param context its input */
export function addStep(run: Run, tokens: number, context: number): void {
  run.steps++
  run.tokens += tokens
  if (run.steps === 1) run.firstContext = context
  run.lastContext = context
  const mark = markOf(run.steps)
  while (run.path.length < mark) run.path.push(run.path.at(-1) ?? 0)
  run.path[mark] = run.tokens
}

/** Growth of the context in tokens a step, whole; 0 before the second. */
export function contextSlope({ steps, firstContext, lastContext }: Run): number {
  return steps < 2 ? 0 : Math.round((lastContext - firstContext) / (steps - 1))
}

/** Tokens of the next calls if the context goes on growing as it did. */
export function tokensOfNext(run: Run, steps: number): number {
  const slope = Math.max(0, contextSlope(run))
  return Math.round(steps * run.lastContext + (slope * steps * (steps + 1)) / 2)
}

/** Remembers a call as the run's newest. */
export function setLast({ last }: Run, call: UsageEvent): void {
  last.trace = call.traceId
  last.span = call.spanId
  last.parentSpan = call.parentSpanId
  last.session = call.session
  last.guard = call.guard
  last.context = call.tokens.input ?? 0
  last.system = call.systemTokens ?? null
  last.tokens = last.context + (call.tokens.output ?? 0)
}
