import type { CreditReport, LogEntry, LogEvent, PolicyInput, UsageEvent } from '@tokenfuse/protocol'
import { policySchema, scopeKeyOf, zoneOffsets } from '@tokenfuse/protocol'
import type { Governor } from '../../../processor/src/governor/governor.ts'
import { seededRandom } from '../../support/random.ts'

/** A day's noon, so that no window ends while a bench runs. */
const START_MS = Date.UTC(2026, 0, 14, 12)
const GUARDS = 64
const STEPS_AN_AGENT = 8
const ACCOUNTS_A_REPORT = 500
const AMPLE = '100000000000000'

/** Six budgets that every call counts in: each dimension that people budget by, in three units. */
const POLICY: PolicyInput = {
  version: 1,
  timezone: 'Europe/Berlin',
  budgets: [
    { id: 'everything', window: 'month', limit: { usd: '1000000000' } },
    { id: 'agent', per: ['agent'], window: 'day', limit: { tokens: 9e15 } },
    { id: 'user', per: ['user'], window: 'day', limit: { usd: '1000000' } },
    { id: 'session', per: ['session'], window: 'lifetime', limit: { tokens: 9e15 } },
    { id: 'task', per: ['agent', 'task'], window: 'lifetime', limit: { tokens: 9e15 } },
    { id: 'step', per: ['agent', 'step'], window: 'day', limit: { outputTokens: 9e15 } },
  ],
}

/** How many of each there are, so that the six budgets have about `scopes` counters in all. */
type Population = {
  readonly agents: number
  readonly users: number
  readonly sessions: number
  readonly tasks: number
}

/**
 * Calls of agents as the governor reads them from its log. A task has one agent, session, user and guard; its calls
 * take one of eight steps. Which task calls is drawn evenly, which is the hardest case for caches.
 */
export class Workload {
  readonly scopes: number
  readonly #population: Population
  readonly #random: () => number
  #offset = 0
  #calls = 0
  #sequence = 0

  constructor(scopes: number, seed: number) {
    this.scopes = scopes
    this.#random = seededRandom(seed)
    this.#population = {
      agents: Math.round(scopes * 0.005),
      users: Math.round(scopes * 0.2),
      sessions: Math.round(scopes * 0.25),
      tasks: Math.round(scopes * 0.5),
    }
  }

  get tasks(): number {
    return this.#population.tasks
  }

  /** Brings the policy into force and lends every guard credit on all counters that its tasks use. */
  prepare(governor: Governor, { withCredit }: { readonly withCredit: boolean }): void {
    const policy = policySchema.parse(POLICY)
    const zone = zoneOffsets(policy.timezone, START_MS - 864e5, START_MS + 864e5 * 40)
    governor.apply(
      this.entry({ type: 'policy.set', v: 1, tenant: 'default', basedOn: null, policy, zone }),
    )
    if (!withCredit) return
    for (let guard = 0; guard < GUARDS; guard++) {
      // First each asks for credit; then it has enough and says so.
      for (const want of [AMPLE, '0']) {
        for (const report of this.#reports(guard, want)) governor.apply(this.entry(report))
      }
    }
  }

  /** The next call of a task drawn by chance, or of the one named. */
  call(task = Math.floor(this.#random() * this.#population.tasks)): UsageEvent {
    const number = this.#calls++
    const input = 500 + Math.floor(this.#random() * 4000)
    const output = 50 + Math.floor(this.#random() * 800)
    const { agents, users, sessions } = this.#population
    return {
      type: 'usage',
      v: 1,
      tenant: 'default',
      time: new Date(START_MS + number / 100).toISOString(),
      durationMs: 812.4,
      traceId: this.#hex(32),
      spanId: this.#hex(16),
      parentSpanId: number % 2 === 0 ? null : this.#hex(16),
      guard: guardName(this.#guardOf(task)),
      responseId: `chatcmpl-${this.#hex(24)}`,
      agent: `agent-${task % agents}`,
      task: `task-${task}`,
      taskType: `type-${task % 10}`,
      difficulty: null,
      step: number % 20,
      stepName: `step-${Math.floor(this.#random() * STEPS_AN_AGENT)}`,
      user: `user-${task % users}@example.com`,
      session: `session-${task % sessions}`,
      service: `service-${task % 5}`,
      tags: { team: `team-${task % 7}` },
      criticality: 'normal',
      provider: 'openai',
      operation: 'chat',
      requestModel: 'gpt-4o-mini',
      originalModel: null,
      responseModel: 'gpt-4o-mini-2024-07-18',
      serviceTier: null,
      tokens: { input, cacheRead: 256, cacheWrite: 0, cacheWrite1h: 0, output, reasoning: 0 },
      charges: [
        charge('input', input - 256, 150_000),
        charge('cache_read', 256, 75_000),
        charge('output', output, 600_000),
      ],
      costPicoUsd: String((input - 256) * 150_000 + 256 * 75_000 + output * 600_000),
      priceVersion: 'catalogue.2026-01-01',
      priced: 'exact',
      source: 'provider',
      error: null,
      toolCallKeys: [],
      toolResultKeys: [],
      verdict: { action: 'allow', reserve: input + 2000, cap: null, decision: null },
      savings: [],
    }
  }

  /** An agent runs as two processes, each with half of its tasks. */
  #guardOf(task: number): number {
    const { agents } = this.#population
    return ((task % agents) * 2 + (Math.floor(task / agents) % 2)) % GUARDS
  }

  entry(event: LogEvent): LogEntry {
    const offset = ++this.#offset
    return { offset, logTimeMs: START_MS + 1000 + Math.floor(this.#calls / 100), event }
  }

  #hex(digits: number): string {
    let text = ''
    while (text.length < digits) {
      text += Math.floor(this.#random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0')
    }
    return text.slice(0, digits)
  }

  #reports(guard: number, want: string): CreditReport[] {
    const scopes = new Map<string, { budget: string; scope: string }>()
    const add = (budget: string, scope: string) =>
      scopes.set(`${budget}|${scope}`, { budget, scope })
    const { agents, users, sessions, tasks } = this.#population
    add('everything', '*')
    for (let task = 0; task < tasks; task++) {
      if (this.#guardOf(task) !== guard) continue
      const agent = ['agent', `agent-${task % agents}`] as const
      add('agent', scopeKeyOf([agent]))
      add('user', scopeKeyOf([['user', `user-${task % users}@example.com`]]))
      add('session', scopeKeyOf([['session', `session-${task % sessions}`]]))
      add('task', scopeKeyOf([agent, ['task', `task-${task}`]]))
      for (let step = 0; step < STEPS_AN_AGENT; step++) {
        add('step', scopeKeyOf([agent, ['step', `step-${step}`]]))
      }
    }
    const named = [...scopes.values()]
    const reports: CreditReport[] = []
    for (let from = 0; from < named.length; from += ACCOUNTS_A_REPORT) {
      const accounts = named.slice(from, from + ACCOUNTS_A_REPORT).map((name) => ({
        ...name,
        windowFromMs: null,
        since: null,
        used: '0',
        reserved: '0',
        returned: '0',
        need: '0',
        want,
        criticality: 'normal' as const,
      }))
      reports.push({
        type: 'credit.report',
        v: 1,
        tenant: 'default',
        guard: guardName(guard),
        sequence: this.#sequence++,
        closing: false,
        accounts,
      })
    }
    return reports
  }
}

const guardName = (guard: number) => `guard-${String(guard).padStart(8, '0')}`

function charge(kind: 'input' | 'cache_read' | 'output', quantity: number, price: number) {
  const model = 'gpt-4o-mini-2024-07-18'
  const picoUsd = String(quantity * price)
  return { kind, part: 'message' as const, model, quantity, unit: 'token' as const, picoUsd }
}
