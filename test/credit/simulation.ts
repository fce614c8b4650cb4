import type {
  Account,
  Budget,
  CallProfile,
  CreditAnswer,
  CreditRequest,
  LogEntry,
  LogEvent,
  PolicyInput,
  UsageEvent,
} from '@tokenfuse/protocol'
import {
  CRITICALITIES,
  policySchema,
  PriceCatalogue,
  rateToWire,
  zoneOffsets,
} from '@tokenfuse/protocol'
import { CreditBook } from '../../instrumentation/src/guard/credit/credit-book.ts'
import { CreditReports } from '../../instrumentation/src/guard/credit/reports.ts'
import type { Ask, AskOutcome, Now } from '../../instrumentation/src/guard/credit/ask.ts'
import type { CallCost } from '../../instrumentation/src/guard/credit/call-cost.ts'
import type { Hold } from '../../instrumentation/src/guard/credit/admission.ts'
import { Governor } from '../../processor/src/governor/governor.ts'
import type { Effect } from '../../processor/src/governor/effect.ts'

export const START_MS = Date.UTC(2026, 0, 5, 12)

export type SimulationOptions = {
  readonly seed: number
  readonly policy: PolicyInput
  readonly guards: number
  readonly callersPerGuard: number
  readonly callsPerCaller: number
  /** Share of messages lost, repeated and delayed a lot. */
  readonly loss?: number
  readonly repeat?: number
  readonly limitOnWire: (random: () => number) => number | null
  readonly inputTokens: (random: () => number) => number
  readonly outputTokens: (random: () => number, progress: number) => number
  /** The agent that a guard's calls are made by, and for whom; by the number of the guard. */
  readonly agent?: (guard: number) => Pick<UsageEvent, 'agent' | 'callers'>
  /** How much a call matters, by the number of its guard. */
  readonly rank?: (guard: number, random: () => number) => number
  /** The step that a call is part of. */
  readonly step?: (random: () => number) => string
  readonly killGuardAtMs?: number
  /** Default: noon. */
  readonly startMs?: number
  /** How far the log time that guards have learned may be from the true one, either way. */
  readonly clockErrorMs?: number
  readonly maxWaitMs?: number
}

type Admission = {
  readonly askedMs: number
  readonly admittedMs: number
  /** When it was admitted by the guard's own idea of log time, which is when it counts. */
  readonly countsAtMs: number
  readonly tokens: bigint
  readonly step: string
  readonly rank: number
}

type Refusal = {
  readonly rank: number
  readonly atMs: number
  readonly why: string
  readonly known: bigint
  readonly limit: bigint
}

/** Small and repeatable (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Real guards' credit books and a real governor over a network in virtual time. */
export class Simulation {
  readonly governor = new Governor()
  readonly options: SimulationOptions
  readonly refusals: Refusal[] = []
  readonly admissions: Admission[] = []
  /** Tokens that the provider billed. */
  billed = 0n
  completed = 0
  truncated = 0
  readonly #random: () => number
  readonly #guards: SimulatedGuard[] = []
  #queue: { atMs: number; order: number; run: () => void }[] = []
  #order = 0
  #offset = 0
  nowMs: number
  inFlightFinal = 0n
  /** The longest time in which a call waited and none was in flight that could have given it credit. */
  longestStallMs = 0
  #stalledSinceMs: number | null = null
  readonly log: LogEntry[] = []
  /** Called after each event, with what the governor said to it. */
  onApplied: (effects: Effect[]) => void = () => {}

  constructor(options: SimulationOptions) {
    this.options = options
    this.nowMs = options.startMs ?? START_MS
    this.#random = seeded(options.seed)
    const policy = policySchema.parse(options.policy)
    this.append({
      type: 'policy.set',
      v: 1,
      tenant: 'default',
      basedOn: null,
      policy,
      zone: zoneOffsets(policy.timezone, START_MS - 86_400_000, START_MS + 86_400_000 * 40),
    })
    for (let index = 0; index < options.guards; index++) {
      this.#guards.push(new SimulatedGuard(this, index, policy.budgets))
    }
  }

  random(): number {
    return this.#random()
  }

  at(delayMs: number, run: () => void): void {
    this.#queue.push({ atMs: this.nowMs + delayMs, order: this.#order++, run })
  }

  /** A message over the network: maybe lost, maybe twice, maybe late. */
  send(run: () => void, lost: () => void = () => {}): void {
    const { loss = 0, repeat = 0 } = this.options
    if (this.random() < loss) return this.at(200, lost)
    this.at(1 + this.random() * 10, run)
    if (this.random() < repeat) this.at(1 + this.random() * 3000, run)
  }

  append(event: LogEvent): number {
    const entry = { offset: ++this.#offset, logTimeMs: this.nowMs, event }
    this.log.push(entry)
    const effects = this.governor.apply(entry)
    this.onApplied(effects)
    for (const effect of effects) {
      if (effect.type !== 'credit' && effect.type !== 'recall') continue
      const guard = this.#guards.find(({ id }) => id === effect.guard)
      const offset = this.#offset
      if (effect.type === 'credit') this.send(() => guard?.onCredit(effect.accounts, offset))
      else this.send(() => guard?.onRecall(effect.accounts))
    }
    return this.#offset
  }

  answer(request: CreditRequest): CreditAnswer {
    const offset = this.append(request.report)
    const catalogue = new PriceCatalogue()
    return {
      offset,
      logTimeMs: this.governor.logTimeMs,
      sequence: request.report.sequence,
      accounts: this.governor.accounts(request.report.guard, request.report.accounts),
      profiles: request.profiles.map((profile) => ({
        ...profile,
        output: this.governor.outputQuantiles(profile),
        rate: rateToWire(catalogue.rate(profile.provider, profile.model, null, START_MS)),
        contextTokens: 128_000,
      })),
    }
  }

  run(untilMs = this.nowMs + 3_600_000): void {
    for (const guard of this.#guards) guard.start()
    const { killGuardAtMs } = this.options
    if (killGuardAtMs !== undefined) this.at(killGuardAtMs, () => this.#guards[0]?.kill())
    this.#scheduleTick()
    while (this.#queue.length > 0 && this.nowMs < untilMs) {
      let first = 0
      for (let index = 1; index < this.#queue.length; index++) {
        const [a, b] = [this.#queue[index], this.#queue[first]]
        if (a && b && (a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order))) first = index
      }
      const next = this.#queue[first]
      const last = this.#queue.pop()
      if (next && last && next !== last) this.#queue[first] = last
      if (!next) break
      this.nowMs = Math.max(this.nowMs, next.atMs)
      next.run()
      this.#noteStall()
    }
  }

  #noteStall(): void {
    const isStalled = this.inFlightFinal === 0n && this.#guards.some(({ hasWaiting }) => hasWaiting)
    if (!isStalled) this.#stalledSinceMs = null
    else this.#stalledSinceMs ??= this.nowMs
    if (this.#stalledSinceMs === null) return
    this.longestStallMs = Math.max(this.longestStallMs, this.nowMs - this.#stalledSinceMs)
  }

  get isDone(): boolean {
    return this.#guards.every((guard) => guard.isDone)
  }

  #scheduleTick(): void {
    this.at(1000, () => {
      const due = this.governor.tickDueMs()
      if (due !== null && due <= this.nowMs) {
        const { offset: stateOffset, stateHash } = this.governor
        this.append({
          type: 'tick',
          v: 1,
          tenant: 'default',
          governorVersion: '1',
          stateHash,
          stateOffset,
        })
      }
      if (!this.isDone) this.#scheduleTick()
    })
  }
}

const NORMAL = CRITICALITIES.indexOf('normal')
const PROFILE: CallProfile = { agent: 'a', step: 's', provider: 'openai', model: 'gpt-4o' }

class SimulatedGuard {
  readonly id: string
  readonly #index: number
  readonly #agent: Pick<UsageEvent, 'agent' | 'callers'>
  readonly #sim: Simulation
  readonly #book = new CreditBook('allow')
  readonly #reports: CreditReports
  readonly #waiting = new Map<number, (outcome: AskOutcome) => void>()
  #callers = 0
  #nextAsk = 0
  #dead = false
  #wakeAtMs = Number.POSITIVE_INFINITY
  readonly #clockErrorMs: number

  constructor(sim: Simulation, index: number, budgets: readonly Budget[]) {
    this.#sim = sim
    const id = `guard-${String(index).padStart(4, '0')}`
    this.id = id
    this.#index = index
    this.#agent = sim.options.agent?.(index) ?? { agent: VALUES.agent }
    this.#clockErrorMs = (sim.random() * 2 - 1) * (sim.options.clockErrorMs ?? 0)
    this.#reports = new CreditReports(this.#book, id, 'default')
    this.#book.setPolicy(budgets, this.#now())
  }

  get isDone(): boolean {
    return this.#dead || this.#callers === 0
  }

  get hasWaiting(): boolean {
    return !this.#dead && this.#waiting.size > 0
  }

  kill(): void {
    this.#dead = true
  }

  start(): void {
    for (let caller = 0; caller < this.#sim.options.callersPerGuard; caller++) {
      this.#callers++
      this.#sim.at(this.#sim.random() * 50, () => this.#call(0))
    }
  }

  onCredit(accounts: readonly Account[], offset: number): void {
    this.#book.credit.onAccounts(accounts, offset, this.#now())
    this.#pump()
  }

  onRecall(accounts: readonly { budget: string; scope: string }[]): void {
    this.#book.credit.onRecall(accounts, this.#now())
    this.#pump()
  }

  #now(): Now {
    const { nowMs, options } = this.#sim
    const elapsedMs = nowMs - (options.startMs ?? START_MS)
    return { logMs: nowMs + this.#clockErrorMs, elapsedMs, reachable: true }
  }

  #call(done: number): void {
    if (this.#dead) return
    const { options } = this.#sim
    if (done >= options.callsPerCaller) {
      this.#callers--
      return
    }
    const random = () => this.#sim.random()
    const input = options.inputTokens(random)
    const wire = options.limitOnWire(random)
    const step = options.step?.(random) ?? 's'
    const rank = options.rank?.(this.#index, random) ?? NORMAL
    const progress = done / options.callsPerCaller
    const finish = () => this.#call(done + 1)
    const ask: Ask = {
      id: this.#nextAsk++,
      values: { ...VALUES, ...this.#agent },
      rank,
      profile: PROFILE,
      cost: (profile): CallCost => ({
        inputTokens: input,
        choices: 1,
        outputLimit: wire,
        outputBound: profile?.contextTokens ?? null,
        minimumOutput: 64,
        cappable: true,
        p95Output: profile?.output.p95 ?? 500,
        p99Output: profile?.output.p99 ?? 1000,
        rate: null,
        step,
        writesCache: false,
      }),
      deadlineMs: this.#now().elapsedMs + (options.maxWaitMs ?? 60_000),
    }
    const askedMs = this.#sim.nowMs
    const decide = (outcome: AskOutcome) => {
      if (outcome.type === 'admit')
        this.#runCall({ input, wire, step, rank, progress, askedMs }, outcome, finish)
      else if (outcome.type === 'refuse') this.#refused(rank, outcome.why, finish)
    }
    const outcome = this.#book.ask(ask, this.#now())
    if (outcome.type === 'wait') this.#waiting.set(ask.id, decide)
    else decide(outcome)
    this.#pump()
  }

  #refused(rank: number, why: string, finish: () => void): void {
    const status = this.#sim.governor.budgets()[0]
    const limit = BigInt(status?.limit ?? 0)
    const held = BigInt(status?.held ?? 0)
    this.#sim.refusals.push({
      rank,
      atMs: this.#sim.nowMs - START_MS,
      why,
      known: this.#sim.billed + this.#sim.inFlightFinal + held,
      limit,
    })
    this.#sim.at(20, finish)
  }

  #runCall(
    call: {
      input: number
      wire: number | null
      step: string
      rank: number
      progress: number
      askedMs: number
    },
    outcome: { cap: number | null; holds: readonly Hold[] },
    finish: () => void,
  ): void {
    const { input, wire, step, rank, progress, askedMs } = call
    const sim = this.#sim
    const admittedMs = sim.nowMs
    const countsAtMs = this.#book.credit.logMs(this.#now())
    const natural = sim.options.outputTokens(() => sim.random(), progress)
    const limit = outcome.cap ?? wire ?? 128_000
    const output = Math.min(natural, limit)
    if (output < natural && outcome.cap !== null) sim.truncated++
    const cost = BigInt(input + output)
    sim.admissions.push({ askedMs, admittedMs, countsAtMs, tokens: cost, step, rank })
    sim.inFlightFinal += cost
    sim.at(20 + output * 0.5, () => {
      sim.inFlightFinal -= cost
      sim.billed += cost
      sim.completed++
      if (this.#dead) return
      const costOf = ({ unit }: { unit: string }) => (unit === 'calls' ? 1n : cost)
      this.#book.credit.settle(outcome.holds, costOf, this.#now())
      const durationMs = sim.nowMs - admittedMs
      const event = {
        ...usageEvent(this.id, countsAtMs, durationMs, input, output, outcome.cap),
        ...this.#agent,
        stepName: step,
        criticality: CRITICALITIES[rank] ?? 'normal',
      }
      const deliver = () => sim.append(event)
      // Spans are sent until acknowledged: late at worst, maybe twice.
      sim.at(5 + sim.random() * (sim.random() < 0.05 ? 3000 : 50), deliver)
      if (sim.random() < 0.05) sim.at(2000, deliver)
      this.#pump()
      finish()
    })
  }

  #pump(): void {
    if (this.#dead) return
    for (const { id, outcome } of this.#book.drain(this.#now())) {
      const decide = this.#waiting.get(id)
      this.#waiting.delete(id)
      decide?.(outcome)
    }
    const request = this.#reports.next(this.#now())
    if (request) this.#post(request)
    this.#schedule()
  }

  #post(request: CreditRequest): void {
    const fail = () => {
      this.#reports.onFailure(this.#now())
      this.#pump()
    }
    this.#sim.send(() => {
      const answer = this.#sim.answer(request)
      this.#sim.send(() => {
        this.#reports.onAnswer(answer, this.#now())
        this.#pump()
      }, fail)
    }, fail)
  }

  #schedule(): void {
    const due = this.#reports.dueMs(this.#now())
    const deadline = this.#book.nextWakeMs(this.#now())
    const at = Math.min(due ?? Number.POSITIVE_INFINITY, deadline ?? Number.POSITIVE_INFINITY)
    const nowMs = this.#now().elapsedMs
    if (at === Number.POSITIVE_INFINITY || (this.#wakeAtMs > nowMs && this.#wakeAtMs <= at)) return
    this.#wakeAtMs = at
    this.#sim.at(Math.max(1, at - nowMs), () => {
      this.#wakeAtMs = Number.POSITIVE_INFINITY
      this.#pump()
    })
  }
}

const VALUES = {
  tenant: 'default',
  agent: 'a',
  task: 't',
  taskType: 'unknown',
  step: 's',
  user: 'unknown',
  session: 'unknown',
  model: 'gpt-4o',
  provider: 'openai',
  service: 'unknown',
  tags: {},
}

let spans = 0

export function usageEvent(
  guard: string | null,
  timeMs: number,
  durationMs: number,
  input: number,
  output: number,
  cap: number | null,
): UsageEvent {
  const id = (++spans).toString(16)
  const charge = (kind: 'input' | 'output', quantity: number, price: bigint) => ({
    kind,
    part: 'message' as const,
    model: 'gpt-4o',
    quantity,
    unit: 'token' as const,
    picoUsd: String(BigInt(quantity) * price),
  })
  return {
    type: 'usage',
    v: 1,
    tenant: 'default',
    time: new Date(timeMs).toISOString(),
    durationMs,
    traceId: id.padStart(32, '0'),
    spanId: id.padStart(16, '0'),
    parentSpanId: null,
    guard,
    responseId: `r-${id}`,
    agent: 'a',
    task: 't',
    taskType: null,
    difficulty: null,
    step: null,
    stepName: 's',
    user: 'unknown',
    session: 'unknown',
    service: 'unknown',
    tags: {},
    criticality: 'normal',
    provider: 'openai',
    operation: 'chat',
    requestModel: 'gpt-4o',
    originalModel: null,
    responseModel: 'gpt-4o',
    serviceTier: null,
    tokens: { input, cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0, output, reasoning: 0 },
    charges: [charge('input', input, 2_500_000n), charge('output', output, 10_000_000n)],
    costPicoUsd: String(BigInt(input) * 2_500_000n + BigInt(output) * 10_000_000n),
    priceVersion: 'test',
    priced: 'exact',
    source: 'provider',
    error: null,
    toolCallKeys: [],
    toolResultKeys: [],
    verdict: { action: cap === null ? 'allow' : 'cap_output', reserve: null, cap, decision: null },
    savings: [],
  }
}
