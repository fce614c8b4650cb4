import { CRITICALITIES } from '@tokenfuse/protocol/names'
import type {
  CreditAnswer,
  CreditRequest,
  ProfileAnswer,
  StreamMessage,
  Verdict,
} from '@tokenfuse/protocol/names'
import type { ControlClient } from '../control/index.ts'
import { reportFault, warnOnce } from '../log.ts'
import { amountOf } from './call-amounts.ts'
import { callCost, promptSize, type PromptSize } from './call-cost-of.ts'
import type { Hold } from './credit/admission.ts'
import type { Ask, FinalOutcome, KnownProfile, Now } from './credit/ask.ts'
import { CreditBook } from './credit/credit-book.ts'
import { CreditReports } from './credit/reports.ts'
import { DecisionGuard } from './decision-guard.ts'
import { FirstContact } from './first-contact.ts'
import type { Admission, CallOutcome, Guard, GuardedCall } from './guard.ts'
import { GuardClock } from './guard-clock.ts'
import { InputEstimator } from './input-estimator.ts'
import type { PolicyOfBefore } from './policy-of-before.ts'
import { refusalFor } from './refusals.ts'
import { WakeTimer } from './wake-timer.ts'

const MAX_KEPT_RATES = 1_000

export type CreditGuardSettings = {
  readonly guardId: string
  readonly tenant: string
  readonly control: Pick<ControlClient, 'post' | 'state'>
  /** What to do before any policy is known, with nobody to ask. */
  readonly onStart: 'allow' | 'refuse'
  /** Where the last policy is kept between processes. */
  readonly policyOfBefore: Pick<PolicyOfBefore, 'read' | 'writeBudgets' | 'writeRates'>
  readonly clock?: GuardClock
}

/** What was reserved for a call, and what it takes to settle it. */
type Reservation = {
  readonly holds: readonly Hold[]
  readonly size: PromptSize
  readonly profile: KnownProfile | null
}

type Waiting = {
  readonly call: GuardedCall
  readonly size: PromptSize
  readonly resolve: (admission: Admission) => void
}

/**
 * Decides on each call from the credit at hand and the decisions in force: in process, and at once as long as there is
 * credit. The shell around the pure credit book: it has the clock, the timer and the way to the governor.
 */
export class CreditGuard implements Guard {
  readonly #settings: CreditGuardSettings
  readonly #decisions = new DecisionGuard()
  readonly #book: CreditBook
  readonly #reports: CreditReports
  readonly #clock: GuardClock
  readonly #inputs = new InputEstimator()
  readonly #waiting = new Map<number, Waiting>()
  readonly #contact: FirstContact
  readonly #wake: WakeTimer
  readonly #keptRates = new Set<string>()
  #nextAsk = 0
  #hasCredit = false

  constructor(settings: CreditGuardSettings) {
    this.#settings = settings
    this.#clock = settings.clock ?? new GuardClock()
    this.#book = new CreditBook(settings.onStart)
    this.#reports = new CreditReports(this.#book, settings.guardId, settings.tenant)
    this.#contact = new FirstContact(() => this.#usePolicyOfBefore())
    this.#wake = new WakeTimer(() => this.#pump())
  }

  /** Whether the governor may have lent anything, so that it is to be told when this process ends. */
  get hasCredit(): boolean {
    return this.#hasCredit
  }

  /** Takes what the governor's stream sends. */
  receive(message: StreamMessage): void {
    this.#decisions.receive(message)
    const now = this.#now()
    if (message.type === 'policy') {
      this.#book.setPolicy(message.budgets, now)
      this.#book.onStreamBegan()
      this.#contact.heard()
      this.#settings.policyOfBefore.writeBudgets(message.budgets)
    } else if (message.type === 'credit') {
      this.#book.credit.onAccounts(message.accounts, message.offset, now)
    } else if (message.type === 'recall') {
      this.#book.credit.onRecall(message.accounts, now)
    }
    this.#pump()
  }

  /** No processor answers where one should be. */
  unreachable(): void {
    this.#contact.giveUp()
  }

  #usePolicyOfBefore(): void {
    try {
      const known = this.#settings.policyOfBefore.read()
      if (known === null) return
      this.#book.setPolicy(known.budgets, this.#now())
      this.#book.useRatesOfBefore(known.rates)
    } catch (error) {
      reportFault('the policy of before', error)
    }
  }

  admit(call: GuardedCall): Admission | Promise<Admission> {
    // What the policy is comes with the first contact, a few milliseconds after the process began.
    const contact = this.#contact.pending()
    return contact === null ? this.#decide(call) : contact.then(() => this.#decide(call))
  }

  #decide(call: GuardedCall): Admission | Promise<Admission> {
    const decided = this.#decisions.admit(call)
    const now = this.#now()
    if (!decided.admit) return { ...decided, refusedAtMs: now.logMs }
    const size = promptSize(call)
    const { facts, endpoint, values } = call
    const ask: Ask = {
      id: this.#nextAsk++,
      values,
      rank: CRITICALITIES.indexOf(call.attribution.criticality),
      profile: {
        agent: values.agent,
        step: values.step,
        provider: endpoint.provider,
        model: facts.model,
      },
      cost: (profile) => callCost(call, size, this.#inputs, profile),
      deadlineMs: now.elapsedMs + this.#book.maxWaitMs(values),
    }
    const outcome = this.#book.ask(ask, now)
    if (outcome.type !== 'wait') {
      const admission = this.#admission(call, size, outcome, decided.verdict)
      this.#report()
      return admission
    }
    const { promise, resolve } = Promise.withResolvers<Admission>()
    this.#waiting.set(ask.id, { call, size, resolve })
    this.#pump()
    return promise
  }

  settle(reservation: unknown, outcome: CallOutcome): void {
    const { holds, size, profile } = reservation as Reservation
    const input = outcome.parts.reduce((sum, { tokens }) => sum + (tokens.input ?? 0), 0)
    if (outcome.source === 'provider') this.#inputs.learn(size.kind, size.bytes, input)
    const amount = amountOf(outcome, profile)
    this.#book.credit.settle(holds, ({ unit }) => amount(unit), this.#now())
    this.#pump()
  }

  #now(): Now {
    return { ...this.#clock.now(), reachable: this.#settings.control.state().connected }
  }

  /** Decides what waits, and reports what there is to report. */
  #pump(): void {
    for (const { id, outcome } of this.#book.drain(this.#now())) {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      waiting?.resolve(this.#admission(waiting.call, waiting.size, outcome, ALLOWED))
    }
    this.#report()
  }

  #report(): void {
    const now = this.#now()
    const request = this.#reports.next(now)
    if (request) void this.#post(request)
    const wakeMs = this.#book.nextWakeMs(now) ?? Number.POSITIVE_INFINITY
    const dueMs = this.#reports.dueMs(now) ?? Number.POSITIVE_INFINITY
    // A call that waits is the app's own waiting, so the process may not end over it.
    this.#wake.at(Math.min(wakeMs, dueMs) - now.elapsedMs, this.#waiting.size > 0)
  }

  async #post(request: CreditRequest): Promise<void> {
    const sentMonotonicMs = this.#clock.monotonicMs()
    if (request.report.accounts.length > 0) this.#hasCredit = true
    try {
      const holdsProcess = this.#waiting.size > 0
      const answer = await this.#settings.control.post('/v1/credit', request, { holdsProcess })
      // Shaped by our own processor; one of another version answers with another status.
      const { logTimeMs } = answer as CreditAnswer
      this.#clock.learn(logTimeMs, sentMonotonicMs)
      this.#reports.onAnswer(answer as CreditAnswer, this.#now())
      this.#keepRates((answer as CreditAnswer).profiles)
    } catch {
      this.#reports.onFailure(this.#now())
    }
    try {
      this.#pump()
    } catch (error) {
      reportFault('the credit of this process', error)
    }
  }

  /** Prices outlive this process, for one that starts while the processor is away. */
  #keepRates(profiles: readonly ProfileAnswer[]): void {
    const isNew = ({ provider, model }: ProfileAnswer) =>
      !this.#keptRates.has(`${provider} ${model}`)
    const rates = profiles
      .filter(isNew)
      .map(({ provider, model, rate }) => ({ provider, model, rate }))
    if (rates.length === 0 || this.#keptRates.size >= MAX_KEPT_RATES) return
    for (const { provider, model } of rates) this.#keptRates.add(`${provider} ${model}`)
    this.#settings.policyOfBefore.writeRates(rates)
  }

  #admission(
    call: GuardedCall,
    size: PromptSize,
    outcome: FinalOutcome,
    verdict: Verdict,
  ): Admission {
    if (outcome.type === 'refuse') {
      const id = `${this.#settings.guardId}-${this.#nextAsk++}`
      return refusalFor(outcome, id, this.#now().logMs)
    }
    const { cap, holds, basis } = outcome
    if (basis) warnOnce(basis, WARNINGS[basis])
    const profile = this.#book.profile(call.values, call.endpoint.provider, call.facts.model)
    const reservation: Reservation = { holds, size, profile }
    return {
      admit: true,
      admittedAtMs: this.#book.credit.logMs(this.#now()),
      reservation,
      verdict: {
        ...verdict,
        action: cap === null ? verdict.action : 'cap_output',
        reserve: reservedTokens(holds),
        cap,
        ...(basis && { basis }),
      },
    }
  }
}

const WARNINGS = {
  last_known:
    'no processor can be reached: calls go on by what is known of their budgets, as each of them says',
  nothing:
    'no processor can be reached and no policy is known: calls run unguarded (TOKENFUSE_ON_START=refuse stops them)',
} as const

const ALLOWED: Verdict = { action: 'allow', reserve: null, cap: null, decision: null }

function reservedTokens(holds: readonly Hold[]): number | null {
  const hold = holds.find(({ account }) => account.unit === 'tokens')
  return hold ? Number(hold.amount) : null
}
