import type { Counter } from './counter.ts'
import type { Run } from './detect/run.ts'
import type { FeedRow } from './detect/spike-feed.ts'
import type { Lengths } from './output-lengths.ts'
import type { RuleScope } from './rules/rule-scope.ts'
import type { UsageLine } from './usage-table.ts'

/** Names with a hash each, so that what is looked up by several of them need not hash them again. */
export class Names {
  readonly values: string[]
  readonly hashes: Int32Array

  constructor(slots: number) {
    this.values = Array.from({ length: slots }, () => '')
    this.hashes = new Int32Array(slots)
  }

  set(slot: number, name: string): void {
    // Many calls share some names with the call before.
    if (name === this.values[slot]) return
    let hash = 0x811c9dc5
    for (let index = 0; index < name.length; index++) {
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
    }
    this.values[slot] = name
    this.hashes[slot] = hash
  }
}

/** The calls that share some names, with the rows that they were last counted in: found once, not once for each. */
export class Scope {
  readonly hash: number
  readonly first: string
  readonly second: string
  readonly others: readonly string[] | null
  line: UsageLine | null = null
  lengths: Lengths | null = null
  /** What it used in the minute that runs. */
  feed: FeedRow | null = null
  /** Of an agent and a task, what is under way. */
  run: Run | null = null
  rules: RuleScope | null = null
  /** The newest counter of each budget, chained by `next`. */
  counter: Counter | null = null

  constructor(hash: number, [first = '', second = '', ...others]: readonly string[]) {
    this.hash = hash
    this.first = first
    this.second = second
    this.others = others.length > 0 ? others : null
  }

  /** As many as there are dimensions. */
  names(count: number): string[] {
    return [this.first, this.second, ...(this.others ?? [])].slice(0, count)
  }
}

const FIRST_PLACES = 16
/** Of all places, those that may be taken. */
const MAX_LOAD = 0.4
/** An index beyond this begins anew. */
const MAX_SCOPES = 1_200_000

/**
 * Finds scopes by some of a call's names without making a key of them. A cache: it may forget, and its scopes may hold
 * rows that are gone from their tables.
 */
export class ScopeIndex {
  /** Which of the names a scope is made of, in order. */
  readonly slots: readonly number[]
  /** Open addressing: a scope stands at its hash or in the places after it. */
  #places: (Scope | null)[] = emptyPlaces(FIRST_PLACES)
  #size = 0

  constructor(slots: readonly number[]) {
    this.slots = slots
  }

  hashOf({ hashes }: Names): number {
    const { slots } = this
    let hash = slots.length
    for (let index = 0; index < slots.length; index++) {
      hash = Math.imul(hash ^ (hashes[slots[index] as number] as number), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    return hash | 0
  }

  /** What stands at the first place for a hash: mostly the scope that `find` finds. */
  guess(hash: number): Scope | null {
    return this.#places[hash & (this.#places.length - 1)] ?? null
  }

  isNamed({ first, second, others }: Scope, { values }: Names): boolean {
    const { slots } = this
    if (slots.length > 0 && first !== values[slots[0] as number]) return false
    if (slots.length > 1 && second !== values[slots[1] as number]) return false
    return others === null || others.every((name, at) => name === values[slots[at + 2] as number])
  }

  /** The scope of these names, made where there is none. */
  find(hash: number, names: Names): Scope {
    const places = this.#places
    const mask = places.length - 1
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const scope = places[at] as Scope | null
      if (scope === null) return this.#add(hash, names)
      if (scope.hash === hash && this.isNamed(scope, names)) return scope
    }
  }

  #add(hash: number, { values }: Names): Scope {
    if (this.#size >= MAX_SCOPES) {
      this.#places = emptyPlaces(FIRST_PLACES)
      this.#size = 0
    } else if (this.#size >= this.#places.length * MAX_LOAD) this.#grow()
    const scope = new Scope(
      hash,
      this.slots.map((slot) => values[slot] as string),
    )
    put(this.#places, scope)
    this.#size++
    return scope
  }

  #grow(): void {
    const places = emptyPlaces(this.#places.length * 2)
    for (const scope of this.#places) if (scope) put(places, scope)
    this.#places = places
  }
}

function put(places: (Scope | null)[], scope: Scope): void {
  const mask = places.length - 1
  let at = scope.hash & mask
  while (places[at] !== null) at = (at + 1) & mask
  places[at] = scope
}

function emptyPlaces(length: number): (Scope | null)[] {
  return Array.from<Scope | null>({ length }).fill(null)
}
