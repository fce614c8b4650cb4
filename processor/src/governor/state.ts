import type { Decision, PolicySet, Zone } from '@tokenfuse/protocol'
import { type ActivePolicy, activatePolicy, sinceWhen } from './budgets.ts'
import { CallIds } from './call-ids.ts'
import { CallScopes } from './call-scopes.ts'
import { Counters } from './counters.ts'
import { DayNames } from './day-names.ts'
import { Detectors } from './detect/detectors.ts'
import { ForecastDecisions } from './forecast/forecast-decisions.ts'
import { ScopeForecasts } from './forecast/scope-forecasts.ts'
import { EstimatedCalls } from './estimated-calls.ts'
import { IdGenerations } from './id-generations.ts'
import { OutputLengths } from './output-lengths.ts'
import { Overrides } from './overrides.ts'
import { RollingSpend } from './rolling-spend.ts'
import { RuleBook } from './rules/rule-book.ts'
import { StateHash } from './state-hash.ts'
import { TaskEnds } from './task-ends.ts'
import { plainCodec, type Row, type StateChange, type StateRecord, Table } from './table.ts'
import { UsageLedger } from './usage-ledger.ts'
import { CallAmounts } from './usage-sums.ts'

/** What the governor knows of one guard; `key` is its id. */
export type GuardRow = Row & {
  reportedAtMs: number
  sequence: number
  closing: boolean
}

export type DecisionRow = Row & { readonly decision: Decision }

const UTC: Zone = { name: 'UTC', offsets: [{ fromMs: 0, offsetMs: 0 }] }

type PolicyHead = {
  readonly version: number
  readonly event: PolicySet
  /** Of each budget, as `ActiveBudget` has it. */
  readonly since: readonly (readonly [budget: string, since: number])[]
}

/** What of the state stands in no table. */
type Head = {
  readonly offset: number
  readonly logTimeMs: number
  readonly order: number
  readonly hash: string
  readonly spansKnownFromMs: number
  readonly responsesKnownFromMs: number
  readonly guardsForgottenAtMs: number
  readonly policy: PolicyHead | null
}

/** Everything the governor knows. Only `apply` changes it. */
export class GovernorState {
  offset = 0
  logTimeMs = 0
  policy: ActivePolicy | null = null
  readonly hash = new StateHash()
  /** The call that is applied. */
  readonly call = new CallScopes()
  readonly amounts = new CallAmounts()
  readonly ids = new CallIds()
  readonly guards = new Table<GuardRow>('guard', plainCodec())
  readonly overrides = new Overrides()
  /** The latest decisions, in force or not, so that they can be explained. */
  readonly decisions = new Table<DecisionRow>('decision', plainCodec())
  readonly nextOrder = () => this.#order++
  readonly rolling = new RollingSpend({ nextOrder: this.nextOrder })
  readonly counters = new Counters({
    nextOrder: this.nextOrder,
    addedTo: (budget, scope) => this.overrides.addedTo(budget, scope),
    deleted: ({ window, scope }) => this.rolling.forget(window.budget, scope),
  })
  readonly forecasts = new ScopeForecasts({ nextOrder: this.nextOrder })
  readonly forecastDecisions = new ForecastDecisions()
  readonly detectors = new Detectors(this.call, this.nextOrder)
  readonly rules = new RuleBook()
  readonly lengths = new OutputLengths(this.call, this.nextOrder)
  readonly ledger = new UsageLedger({ call: this.call, nextOrder: this.nextOrder })
  readonly taskEnds = new TaskEnds({
    nextOrder: this.nextOrder,
    usageOf: (task) => this.ledger.usageOfTask(task),
  })
  readonly spans = new IdGenerations('span')
  readonly responses = new IdGenerations('response')
  readonly estimated = new EstimatedCalls(this.nextOrder)
  /** Says nothing; kept so that reads which bring memory near are not left out as useless. */
  fetched = 0
  /** Log time at which silent guards were last forgotten. */
  guardsForgottenAtMs = 0
  #order = 0
  #days = new DayNames(UTC)

  /** The zone whose days the policy counts in; UTC while there is no policy. */
  get zone(): Zone {
    return this.policy?.event.zone ?? UTC
  }

  /** Brings a policy into force; what follows from it for the counters is up to the caller. */
  setPolicy(
    event: PolicySet,
    version: number,
    since: ReadonlyMap<string, number> = sinceWhen(this.policy, event),
  ): ActivePolicy {
    this.policy = activatePolicy(event, version, since, this.call)
    const forecast = this.policy.budgets.filter((budget) => budget.forecasting !== null)
    this.forecasts.policyChanged(event.zone, forecast.length)
    this.rules.activate(event.rules ?? [], this.call, event.zone)
    this.#days = new DayNames(event.zone)
    return this.policy
  }

  /** The day, such as `2026-01-31`, that a time falls on in the policy's zone. */
  dayAt(timeMs: number): string {
    return this.#days.at(timeMs)
  }

  takeChanges(): StateChange[] {
    const { policy } = this
    const head: Head = {
      offset: this.offset,
      logTimeMs: this.logTimeMs,
      order: this.#order,
      hash: this.hash.value,
      spansKnownFromMs: this.spans.knownFromMs,
      responsesKnownFromMs: this.responses.knownFromMs,
      guardsForgottenAtMs: this.guardsForgottenAtMs,
      policy: policy && {
        version: policy.version,
        event: policy.event,
        since: policy.budgets.map(({ id, since }) => [id, since] as const),
      },
    }
    return [
      { key: 'head', value: JSON.stringify(head) },
      ...this.#parts().flatMap((part) => part.takeChanges()),
    ]
  }

  restore(records: Iterable<StateRecord>): void {
    const byPrefix = new Map<string, StateRecord[]>()
    for (const record of records) {
      const prefix = record[0].slice(0, record[0].indexOf('/') + 1)
      const group = byPrefix.get(prefix)
      if (group) group.push(record)
      else byPrefix.set(prefix, [record])
    }
    const of = (prefix: string) => byPrefix.get(prefix) ?? []
    const [head] = of('')
    if (!head) return
    const { spansKnownFromMs, responsesKnownFromMs } = this.#restoreHead(head[1])
    this.overrides.restore(of(this.overrides.prefix))
    this.rolling.restore(of(this.rolling.prefix))
    this.counters.restore(of(this.counters.prefix), this.policy?.byId ?? new Map())
    this.guards.restore(of(this.guards.prefix))
    this.decisions.restore(of(this.decisions.prefix))
    this.spans.restore(of(this.spans.prefix), spansKnownFromMs)
    this.responses.restore(of(this.responses.prefix), responsesKnownFromMs)
    this.estimated.restore(of(this.estimated.prefix))
    this.forecasts.restore(of)
    this.forecastDecisions.restore(of(this.forecastDecisions.prefix))
    this.detectors.restore(of)
    this.rules.restore(of)
    this.lengths.restore(of(this.lengths.prefix))
    this.ledger.restore(byPrefix)
    this.taskEnds.restore(of)
  }

  #restoreHead(text: string): Head {
    const head = JSON.parse(text) as Head
    this.offset = head.offset
    this.logTimeMs = head.logTimeMs
    this.#order = head.order
    this.hash.restore(head.hash)
    this.guardsForgottenAtMs = head.guardsForgottenAtMs
    if (head.policy) {
      const { event, version, since } = head.policy
      this.setPolicy(event, version, new Map(since))
    }
    return head
  }

  #parts(): { takeChanges(): StateChange[] }[] {
    return [
      this.counters,
      this.rolling,
      this.guards,
      this.overrides,
      this.decisions,
      this.forecasts,
      this.forecastDecisions,
      this.detectors,
      this.rules,
      this.lengths,
      this.ledger,
      this.taskEnds,
      this.spans,
      this.responses,
      this.estimated,
    ]
  }
}
