import { type CallKind, readKind } from './call-kind.ts'
import { SeenNumbers } from './seen-numbers.ts'

/** As many as are written, after which it begins anew. */
const MAX_KINDS = 2048
/** A longer one is read each time, so that they take some megabytes at most. */
const MAX_TEXT = 4096

export type KnownKind = {
  readonly kind: CallKind
  /** As it stands in entries. */
  readonly text: string
}

/** The kinds of the calls that were read, by the numbers before them, which may be anything. */
export class KnownKinds {
  readonly #kinds = new Map<number, KnownKind>()
  readonly #seen = new SeenNumbers()

  /** @returns `undefined` where the kind that stands in a text from a place on is not known */
  find(number: number, text: string, at: number): KnownKind | undefined {
    const known = this.#kinds.get(number)
    // Comparing is much faster than looking a text up.
    if (known && text.slice(at, at + known.text.length) === known.text) return known
    return undefined
  }

  /** @returns `null` where it is no kind of call */
  read(number: number, values: unknown): CallKind | null {
    const kind = readKind(values)
    if (kind === null || !this.#seen.see(number)) return kind
    const text = JSON.stringify(values)
    if (text.length > MAX_TEXT) return kind
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear()
    this.#kinds.set(number, { kind, text })
    return kind
  }
}
