import type { StateChange } from './table.ts'

const HOUR_MS = 3_600_000
/** A span that ended longer ago than this cannot be told from a repeat any more. */
export const HORIZON_MS = 24 * HOUR_MS
const GENERATIONS = HORIZON_MS / HOUR_MS + 2

/**
 * Ids of counted calls in generations of an hour, by the span's own end, kept for the horizon. Exact: an id is never
 * taken for another.
 */
export class IdGenerations {
  readonly prefix: string
  readonly #generations = new Map<number, Set<string>>()
  /** Ids added since the last snapshot; a snapshot writes them as one more chunk of their generation. */
  readonly #added = new Map<number, string[]>()
  readonly #chunks = new Map<number, number>()
  readonly #dropped: number[] = []

  constructor(name: string) {
    this.prefix = `${name}/`
  }

  has(id: string, endMs: number): boolean {
    return this.#generations.get(Math.floor(endMs / HOUR_MS))?.has(id) ?? false
  }

  add(id: string, endMs: number): void {
    const generation = Math.floor(endMs / HOUR_MS)
    let ids = this.#generations.get(generation)
    if (!ids) this.#generations.set(generation, (ids = new Set()))
    ids.add(id)
    const added = this.#added.get(generation)
    if (added) added.push(id)
    else this.#added.set(generation, [id])
  }

  /** Forgets the generations that no span can ask for any more. */
  forget(logTimeMs: number): void {
    if (this.#generations.size <= GENERATIONS / 2) return
    const oldest = Math.floor((logTimeMs - HORIZON_MS) / HOUR_MS) - 1
    for (const generation of this.#generations.keys()) {
      if (generation >= oldest) continue
      this.#generations.delete(generation)
      this.#added.delete(generation)
      this.#dropped.push(generation)
    }
  }

  takeChanges(): StateChange[] {
    const changes: StateChange[] = []
    for (const generation of this.#dropped.splice(0)) {
      const chunks = this.#chunks.get(generation) ?? 0
      for (let chunk = 0; chunk < chunks; chunk++) {
        changes.push({ key: `${this.prefix}${generation}/${chunk}`, value: null })
      }
      this.#chunks.delete(generation)
    }
    for (const [generation, ids] of this.#added) {
      const chunk = this.#chunks.get(generation) ?? 0
      this.#chunks.set(generation, chunk + 1)
      changes.push({ key: `${this.prefix}${generation}/${chunk}`, value: JSON.stringify(ids) })
    }
    this.#added.clear()
    return changes
  }

  restore(records: readonly (readonly [key: string, value: string])[]): void {
    for (const [key, value] of records) {
      const [, generationText = '', chunkText = ''] = key.split('/')
      const generation = Number(generationText)
      const ids = this.#generations.get(generation) ?? new Set<string>()
      for (const id of JSON.parse(value) as string[]) ids.add(id)
      this.#generations.set(generation, ids)
      const chunks = Math.max(this.#chunks.get(generation) ?? 0, Number(chunkText) + 1)
      this.#chunks.set(generation, chunks)
    }
  }

  get size(): number {
    let size = 0
    for (const ids of this.#generations.values()) size += ids.size
    return size
  }
}
