import type { UsageEvent } from '@tokenfuse/protocol'
import { kindText } from './call-kind.ts'
import { SeenNumbers } from './seen-numbers.ts'

/** Beyond this many it begins anew. */
const MAX_KINDS = 2048

/** A kind of call as the log holds it, and the number that stands before it, by which a reader finds what it knows. */
export type WrittenKind = { readonly number: number; readonly text: string }

/** The kinds of the calls that are written, put into words once for all that come again. */
export class KindTexts {
  readonly #kinds = new Map<number, WrittenKind & { readonly values: readonly unknown[] }>()
  readonly #seen = new SeenNumbers()
  #values: unknown[] = []

  of(event: UsageEvent): WrittenKind {
    const values = this.#values
    listValues(event, values)
    const number = numberOf(values)
    const known = this.#kinds.get(number)
    if (known && areSame(known.values, values)) return known
    const kind = { number, text: kindText(event), values }
    if (!this.#seen.see(number)) return kind
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear()
    this.#kinds.set(number, kind)
    this.#values = []
    return kind
  }
}

/** Everything that `kindText` writes, so that the same values mean the same text. */
function listValues(event: UsageEvent, values: unknown[]): void {
  const { tags, callers, verdict, charges } = event
  values.length = 0
  // Lengths first, so that no tag can be taken for a charge.
  values.push(charges.length, callers?.length ?? null)
  values.push(event.tenant, event.agent, event.taskType, event.difficulty, event.service)
  values.push(event.criticality, event.provider, event.operation, event.requestModel)
  values.push(event.originalModel, event.responseModel, event.serviceTier, event.priceVersion)
  values.push(event.priced, event.source, verdict?.action, verdict?.basis)
  for (let index = 0; index < charges.length; index++) {
    const charge = charges[index] as UsageEvent['charges'][number]
    values.push(charge.kind, charge.part, charge.model, charge.unit)
  }
  if (callers) for (const { agent, task } of callers) values.push(agent, task)
  for (const name in tags) values.push(name, tags[name])
}

const PRIME = 0x01000193
/** Small integers are found faster. */
const BITS = 0x3fffffff

function numberOf(values: readonly unknown[]): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < values.length; at++) {
    const value = values[at]
    if (typeof value === 'string') {
      for (let index = 0; index < value.length; index++) {
        hash = Math.imul(hash ^ value.charCodeAt(index), PRIME)
      }
    }
    hash = Math.imul(hash ^ at, PRIME)
  }
  return (hash ^ (hash >>> 15)) & BITS
}

function areSame(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}
