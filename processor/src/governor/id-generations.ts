import type { IdHash } from './id-hash.ts'
import { IdSet } from './id-set.ts'
import type { StateChange, StateRecord } from './table.ts'

const HOUR_MS = 3_600_000
/** A span that ended longer ago than this cannot be told from a repeat any more. */
export const HORIZON_MS = 24 * HOUR_MS
/** Beyond this the oldest hours are forgotten early, and spans of then are late. About 1 GB. */
const MAX_IDS = 40_000_000
/** Ids of spans that claim to end more than the horizon ahead of the log: they belong to no hour. */
const FAR = -1
const MAX_FAR_IDS = 1_000_000

/**
 * Ids of counted calls in generations of an hour, by the end that the span itself names, kept for the horizon. That
 * end never changes, so a repeat is looked for where the first one was put, whenever it comes.
 */
export class IdGenerations {
  readonly prefix: string
  readonly #maxIds: number
  readonly #generations = new Map<number, IdSet>()
  /** Ids added since the last snapshot; a snapshot writes them as one more chunk of their generation. */
  readonly #added = new Map<number, number[]>()
  readonly #chunks = new Map<number, number>()
  #dropped: number[] = []
  #size = 0
  /** Of `#generations`, the one that was looked up last, and that of ids which belong to no hour. */
  #lastHour = 0
  #last: IdSet | undefined
  #far: IdSet | undefined
  /** The hour before which nothing is kept. */
  #oldest = 0
  /** Ids that had to go before their time. */
  evicted = 0

  constructor(name: string, maxIds = MAX_IDS) {
    this.prefix = `${name}/`
    this.#maxIds = maxIds
  }

  /** A span that ended before this may have been counted and forgotten. */
  get knownFromMs(): number {
    return this.#oldest * HOUR_MS
  }

  /** Says nothing, but to read it brings the place near where an id with such an end stands or would stand. */
  near(id: IdHash, endMs: number): number {
    return this.#generation(hourOf(endMs))?.near(id) ?? 0
  }

  /** Most look-ups are of the hour of the one before. */
  #generation(hour: number): IdSet | undefined {
    if (hour !== this.#lastHour || this.#last === undefined) {
      this.#lastHour = hour
      this.#last = this.#generations.get(hour)
    }
    return this.#last
  }

  /** Looks for an id whose span ended between two times. */
  has(id: IdHash, fromMs: number, untilMs: number, logTimeMs: number): boolean {
    if (this.#far?.has(id)) return true
    const first = Math.max(this.#oldest, hourOf(Math.max(fromMs, logTimeMs - HORIZON_MS)))
    const last = hourOf(Math.min(untilMs, logTimeMs + HORIZON_MS))
    for (let hour = first; hour <= last; hour++) {
      if (this.#generation(hour)?.has(id)) return true
    }
    return false
  }

  add(id: IdHash, endMs: number, logTimeMs: number): void {
    const isFar = endMs > logTimeMs + HORIZON_MS
    const generation = isFar ? FAR : hourOf(endMs)
    const ids = this.#generation(generation) ?? this.#begin(generation)
    if (!ids.add(id)) return
    this.#size++
    const { a, b, c, d } = id
    const added = this.#added.get(generation)
    if (added) added.push(a, b, c, d)
    else this.#added.set(generation, [a, b, c, d])
    if (isFar && ids.size > MAX_FAR_IDS) this.#evict(FAR)
    else if (this.#size > this.#maxIds) this.#evictOldest(hourOf(logTimeMs) - 1)
  }

  #begin(generation: number): IdSet {
    const ids = new IdSet()
    this.#generations.set(generation, ids)
    this.#last = ids
    if (generation === FAR) this.#far = ids
    return ids
  }

  /** Forgets the generations that no span can ask for any more. */
  forget(logTimeMs: number): void {
    this.#forgetBefore(hourOf(logTimeMs - HORIZON_MS))
  }

  #forgetBefore(hour: number): void {
    if (hour <= this.#oldest) return
    this.#oldest = hour
    for (const generation of this.#generations.keys()) {
      if (generation < hour && generation !== FAR) this.#drop(generation)
    }
  }

  /** Spans of the last hours come all the time, so those are kept however many they are. */
  #evictOldest(keptFrom: number): void {
    let oldest = keptFrom
    for (const generation of this.#generations.keys()) {
      if (generation !== FAR && generation < oldest) oldest = generation
    }
    if (oldest === keptFrom) return
    this.#evict(oldest)
    this.#forgetBefore(oldest + 1)
  }

  #evict(generation: number): void {
    this.evicted += this.#generations.get(generation)?.size ?? 0
    this.#drop(generation)
  }

  #drop(generation: number): void {
    this.#size -= this.#generations.get(generation)?.size ?? 0
    this.#generations.delete(generation)
    this.#last = undefined
    if (generation === FAR) this.#far = undefined
    this.#added.delete(generation)
    this.#dropped.push(generation)
  }

  takeChanges(): StateChange[] {
    const changes: StateChange[] = []
    for (const generation of this.#dropped) {
      const chunks = this.#chunks.get(generation) ?? 0
      for (let chunk = 0; chunk < chunks; chunk++) {
        changes.push({ key: `${this.prefix}${generation}/${chunk}`, value: null })
      }
      this.#chunks.delete(generation)
    }
    this.#dropped = []
    for (const [generation, ids] of this.#added) {
      const chunk = this.#chunks.get(generation) ?? 0
      this.#chunks.set(generation, chunk + 1)
      changes.push({ key: `${this.prefix}${generation}/${chunk}`, value: JSON.stringify(ids) })
    }
    this.#added.clear()
    return changes
  }

  /** @param knownFromMs what `knownFromMs` was */
  restore(records: readonly StateRecord[], knownFromMs: number): void {
    this.#oldest = knownFromMs / HOUR_MS
    const id: IdHash = { a: 0, b: 0, c: 0, d: 0 }
    for (const [key, value] of records) {
      const [, generationText = '', chunkText = ''] = key.split('/')
      const generation = Number(generationText)
      const ids = this.#generations.get(generation) ?? new IdSet()
      const numbers = JSON.parse(value) as number[]
      for (let at = 0; at < numbers.length; at += 4) {
        id.a = numbers[at] as number
        id.b = numbers[at + 1] as number
        id.c = numbers[at + 2] as number
        id.d = numbers[at + 3] as number
        if (ids.add(id)) this.#size++
      }
      this.#generations.set(generation, ids)
      if (generation === FAR) this.#far = ids
      const chunks = Math.max(this.#chunks.get(generation) ?? 0, Number(chunkText) + 1)
      this.#chunks.set(generation, chunks)
    }
  }

  get size(): number {
    return this.#size
  }
}

const hourOf = (timeMs: number) => Math.floor(timeMs / HOUR_MS)
