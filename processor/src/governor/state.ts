import { type Decision, type PolicySet, UNKNOWN } from '@tokenfuse/protocol'
import { type ActivePolicy, activatePolicy } from './budgets.ts'
import { type Counter, counterCodec } from './counter.ts'
import { IdGenerations } from './id-generations.ts'
import { OutputLengths } from './output-lengths.ts'
import { StateHash } from './state-hash.ts'
import { bigintCodec, type Codec, type Row, type StateChange, Table } from './table.ts'
import { UsageLedger } from './usage-ledger.ts'

/** What the governor knows of one guard. */
export type GuardRow = Row & {
  reportedAtMs: number
  sequence: number
  closing: boolean
  /** Keys of the counters that it has accounts on. */
  readonly counters: string[]
}

export type OverrideRow = Row & {
  readonly id: string
  readonly budget: string
  readonly scope: string
  readonly add: bigint
  readonly untilMs: number | null
  readonly reason: string
  readonly by: string
}

export type DecisionRow = Row & { readonly decision: Decision }

const plain = <Value extends Row>(): Codec<Value> => ({
  encode: (value) => value,
  decode: (json: Value) => json,
})

/** Everything the governor knows. Only `apply` changes it. */
export class GovernorState {
  offset = 0
  logTimeMs = 0
  policy: ActivePolicy | null = null
  readonly hash = new StateHash()
  readonly counters = new Table<Counter>('counter', counterCodec)
  readonly guards = new Table<GuardRow>('guard', plain<GuardRow>())
  readonly overrides = new Table<OverrideRow>('override', bigintCodec<OverrideRow>('add'))
  /** The latest decisions, in force or not, so that they can be explained. */
  readonly decisions = new Table<DecisionRow>('decision', plain<DecisionRow>())
  readonly lengths = new OutputLengths()
  readonly ledger = new UsageLedger()
  readonly spans = new IdGenerations('span')
  readonly responses = new IdGenerations('response')
  evictedCounters = 0
  /** Keys of the counters on which a decision is in force; follows from `counters`. */
  readonly decided = new Set<string>()

  takeChanges(): StateChange[] {
    const head = {
      offset: this.offset,
      logTimeMs: this.logTimeMs,
      hash: this.hash.value,
      policy: this.policy && { version: this.policy.version, event: this.policy.event },
    }
    return [
      { key: 'head', value: JSON.stringify(head) },
      ...this.#parts().flatMap((part) => part.takeChanges()),
    ]
  }

  restore(records: readonly (readonly [key: string, value: string])[]): void {
    const groups = new Map<string, (readonly [string, string])[]>()
    for (const record of records) {
      const name = record[0].split('/', 1)[0] ?? UNKNOWN
      const group = groups.get(name)
      if (group) group.push(record)
      else groups.set(name, [record])
    }
    const group = (prefix: string) => groups.get(prefix.slice(0, -1)) ?? []
    const head = groups.get('head')?.[0]
    if (head) this.#restoreHead(head[1])
    for (const table of [this.counters, this.guards, this.overrides, this.decisions]) {
      table.restore(group(table.prefix))
    }
    for (const [key, { decision }] of this.counters.entries()) if (decision) this.decided.add(key)
    for (const ids of [this.spans, this.responses]) ids.restore(group(ids.prefix))
    this.lengths.restore(group(this.lengths.prefix))
    this.ledger.restore(records.filter(([key]) => key.startsWith('usage-')))
  }

  #restoreHead(text: string): void {
    const head = JSON.parse(text) as {
      offset: number
      logTimeMs: number
      hash: string
      policy: { version: number; event: PolicySet } | null
    }
    this.offset = head.offset
    this.logTimeMs = head.logTimeMs
    this.hash.restore(head.hash)
    this.policy = head.policy && activatePolicy(head.policy.event, head.policy.version)
  }

  #parts(): { takeChanges(): StateChange[] }[] {
    return [
      this.counters,
      this.guards,
      this.overrides,
      this.decisions,
      this.lengths,
      this.ledger,
      this.spans,
      this.responses,
    ]
  }
}
