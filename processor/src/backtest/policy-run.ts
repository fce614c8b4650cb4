import {
  type Action,
  type Decision,
  DecisionBook,
  DEFAULT_TENANT,
  type DimensionValues,
  type LogEvent,
  type Policy,
  type Rule,
  type TaskEnd,
  UNKNOWN,
  type UsageEvent,
  zoneAround,
} from '@tokenfuse/protocol'
import { stepName } from '../governor/call-scopes.ts'
import type { Effect } from '../governor/effect.ts'
import { Governor, GOVERNOR_VERSION } from '../governor/governor.ts'
import { msFromIso } from '../governor/iso-time.ts'
import { isRefused } from '../governor/usage-sums.ts'
import { AmountSum } from './amount-sum.ts'
import { forecastResults } from './forecast-results.ts'
import { HitTasks } from './hit-tasks.ts'
import type { DecisionLine, PolicyResult } from './result.ts'
import { sourceName, Sources } from './sources.ts'

const TICK_MS = 1000
const MAX_DECISIONS = 1000
/** What guards do not let a call run for. */
const REFUSING: ReadonlySet<Action> = new Set(['throttle', 'pause', 'block', 'kill'])

export type BacktestPolicy = {
  readonly name: string
  readonly policy: Policy
  readonly rules: readonly Rule[]
}

/** What became of an event: refused by a decision in force, or what the governor made of it. */
export type Taken = 'refused' | 'counted' | 'duplicate' | 'late' | 'rejected'

/**
 * One policy over recorded events, with the governor of production: time is that of the events, ticks come as they
 * would have come, and a call that a decision in force would have refused is not counted as spent.
 */
export class PolicyRun {
  readonly #governor = new Governor()
  readonly #book = new DecisionBook()
  readonly #sources = new Sources()
  readonly #tasks = new HitTasks()
  readonly #avoided = new AmountSum()
  readonly #decisions: DecisionLine[] = []
  readonly #detections = new Map<string, string>()
  #decisionCount = 0
  #offset = 0
  #lookedAtMs = 0
  #lastTickMs = 0

  /** @param startMs log time of the beginning */
  constructor({ policy, rules }: BacktestPolicy, startMs: number) {
    const { notify: _, ...kept } = policy
    const zone = zoneAround(policy.timezone, startMs)
    const tenant = DEFAULT_TENANT
    this.#apply(
      { type: 'policy.set', v: 1, tenant, basedOn: null, policy: kept, rules: [...rules], zone },
      startMs,
    )
    const { budgets } = kept
    this.#book.apply({ type: 'policy', version: this.#offset, budgets }, startMs)
  }

  takeUsage(event: UsageEvent, timeMs: number, logTimeMs: number): Taken {
    this.#tickTo(logTimeMs)
    const decision = this.#refusalOf(event, timeMs)
    const effects = this.#apply(decision ? refused(event, decision) : event, logTimeMs)
    const taken = takenOf(effects)
    if (taken !== 'counted') return taken
    if (!decision) {
      this.#tasks.allow(event)
      return 'counted'
    }
    this.#avoided.add(event)
    this.#sources.refused(decision, event)
    this.#tasks.refuse(event, decision, sourceName(decision))
    return 'refused'
  }

  takeTaskEnd(event: TaskEnd, logTimeMs: number): void {
    this.#tickTo(logTimeMs)
    this.#apply(event, logTimeMs)
    this.#tasks.end(event)
  }

  result(): PolicyResult {
    const governor = this.#governor
    const { calls, totalTokens: tokens, costPicoUsd } = governor.total()
    const detections: Record<string, number> = {}
    for (const kind of this.#detections.values()) detections[kind] = (detections[kind] ?? 0) + 1
    const rules = governor.ruleStatuses().filter(({ inactive }) => inactive !== null)
    return {
      spent: { calls, tokens, costPicoUsd },
      avoided: this.#avoided.amounts(),
      sources: this.#sources.results(),
      tasks: this.#tasks.result(),
      forecasts: forecastResults(governor.forecasts()),
      detections,
      inactive: [
        ...governor.inactiveBudgets().map(({ budget, reason }) => `${budget}: ${reason}`),
        ...rules.map(({ name, inactive }) => `${name}: ${inactive}`),
      ],
      decisions: this.#decisions,
      decisionCount: this.#decisionCount,
    }
  }

  /** The decision for which a call would have been refused when it began; `null` where it would have run. */
  #refusalOf(event: UsageEvent, timeMs: number): Decision | null {
    // What was refused when it was recorded is so again.
    if (this.#book.size === 0 || isRefused(event)) return null
    const decision = this.#book.find(valuesOf(event), timeMs, event.criticality)
    // What was decided while the call ran came too late for it.
    return decision !== null && msFromIso(decision.from) <= timeMs ? decision : null
  }

  #tickTo(logTimeMs: number): void {
    if (logTimeMs - this.#lookedAtMs < TICK_MS) return
    this.#lookedAtMs = logTimeMs
    for (;;) {
      const dueMs = this.#governor.tickDueMs()
      if (dueMs === null) return
      const atMs = Math.max(dueMs, this.#lastTickMs + TICK_MS, this.#governor.logTimeMs)
      if (atMs > logTimeMs) return
      this.#lastTickMs = atMs
      this.#apply(
        {
          type: 'tick',
          v: 1,
          tenant: DEFAULT_TENANT,
          governorVersion: GOVERNOR_VERSION,
          stateHash: null,
          stateOffset: this.#offset,
        },
        atMs,
      )
    }
  }

  #apply(event: LogEvent, logTimeMs: number): Effect[] {
    const effects = this.#governor.apply({ offset: ++this.#offset, logTimeMs, event })
    for (const effect of effects) {
      if (effect.type === 'decision') this.#decide(effect.decision)
      if (effect.type === 'detection' && effect.change !== 'ended') {
        const { id, kind, level } = effect.detection
        this.#detections.set(id, `${kind}, ${level}`)
      }
    }
    return effects
  }

  #decide(decision: Decision): void {
    const { id, from, scope, action, reason, mode } = decision
    const isFollowed = REFUSING.has(action)
    const told = isFollowed ? decision : ({ ...decision, action: 'allow' } satisfies Decision)
    this.#book.apply({ type: 'decision', decision: told }, this.#governor.logTimeMs)
    if (action === 'allow') return
    this.#sources.decided(decision)
    this.#decisionCount++
    if (this.#decisions.length >= MAX_DECISIONS) return
    const source = sourceName(decision)
    this.#decisions.push({ id, at: from, source, action, mode, scope, reason })
  }
}

const NO_TOKENS: UsageEvent['tokens'] = Object.freeze({
  input: null,
  cacheRead: null,
  cacheWrite: null,
  cacheWrite1h: null,
  output: null,
  reasoning: null,
})

/** The event that the guard would have sent instead. */
function refused(event: UsageEvent, { id, action }: Decision): UsageEvent {
  const verdict = { action, reserve: null, cap: null, decision: id }
  return {
    ...event,
    responseId: null,
    responseModel: null,
    tokens: NO_TOKENS,
    charges: [],
    costPicoUsd: '0',
    verdict,
  }
}

function takenOf(effects: readonly Effect[]): Exclude<Taken, 'refused'> {
  for (const { type } of effects) {
    if (type === 'counted' || type === 'duplicate' || type === 'late') return type
    if (type === 'improved') return 'counted'
  }
  return 'rejected'
}

function valuesOf(event: UsageEvent): DimensionValues {
  return {
    tenant: event.tenant,
    agent: event.agent,
    task: event.task,
    taskType: event.taskType ?? UNKNOWN,
    step: stepName(event),
    user: event.user,
    session: event.session,
    model: event.requestModel,
    provider: event.provider,
    service: event.service,
    tags: event.tags,
    callers: event.callers,
  }
}
