import type { UsageEvent } from '@tokenfuse/protocol'
import {
  NEW_ROW,
  plainCodec,
  type Row,
  type StateChange,
  type StateRecord,
  Table,
} from './table.ts'

const MAX_ROWS = 20_000
/** How sure a source is; of a call that came from a cache nothing better can be told. */
const SURENESS: Readonly<Record<UsageEvent['source'], number>> = {
  estimate: 0,
  partial: 1,
  provider: 2,
  cache: 2,
}

/** A call as it was counted, and the time that it was counted for. */
export type CountedCall = { readonly event: UsageEvent; readonly timeMs: number }

/** Calls that were counted by an estimate, of which another instrumentation may still tell the provider's own usage. */
export class EstimatedCalls {
  readonly #table = new Table<Row & CountedCall>('estimated', plainCodec())
  readonly #nextOrder: () => number
  readonly #maxRows: number
  /** Estimates that stay, since there was no room to remember them. */
  evicted = 0

  constructor(nextOrder: () => number, maxRows = MAX_ROWS) {
    this.#nextOrder = nextOrder
    this.#maxRows = maxRows
  }

  get prefix(): string {
    return this.#table.prefix
  }

  /** A call was counted. */
  note(event: UsageEvent, timeMs: number): void {
    if (SURENESS[event.source] === SURENESS.provider) return
    for (const key of keysOf(event)) {
      if (this.#table.size >= this.#maxRows) this.#evict()
      this.#table.set({ key, order: this.#nextOrder(), event, timeMs, ...NEW_ROW })
    }
  }

  /** Takes out the call that another event tells of, too, and more surely; `null` where there is none. */
  takeLessSure(event: UsageEvent): CountedCall | null {
    const row =
      this.#table.get(answerKey(event)) ?? this.#table.get(spanKey(event, event.spanId)) ?? null
    if (row === null || SURENESS[row.event.source] >= SURENESS[event.source]) return null
    for (const key of keysOf(row.event)) {
      const known = this.#table.get(key)
      if (known) this.#table.delete(known)
    }
    return row
  }

  #evict(): void {
    const oldest = this.#table.oldest()
    if (!oldest) return
    this.#table.delete(oldest)
    this.evicted++
  }

  takeChanges(): StateChange[] {
    return this.#table.takeChanges()
  }

  restore(records: readonly StateRecord[]): void {
    this.#table.restore(records)
  }
}

/** The same answer, or a span around it: by these the second telling is known. */
function keysOf(event: UsageEvent): string[] {
  const keys: string[] = []
  if (event.responseId !== null) keys.push(answerKey(event))
  if (event.parentSpanId !== null) keys.push(spanKey(event, event.parentSpanId))
  return keys
}

const answerKey = ({ tenant, provider, responseId }: UsageEvent) =>
  JSON.stringify(['answer', tenant, provider, responseId])
const spanKey = ({ tenant, traceId }: UsageEvent, spanId: string) =>
  JSON.stringify(['span', tenant, traceId, spanId])
