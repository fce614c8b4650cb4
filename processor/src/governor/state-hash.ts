const PRIME = 0x01000193

/** A running hash (FNV-1a, 32 bit) over what the governor did: equal on replicas that did the same. */
export class StateHash {
  /** Signed, since numbers beyond 31 bits cost an allocation each. */
  #hash = 0x811c9dc5 | 0

  fold(text: string): void {
    let hash = this.#hash
    for (let index = 0; index < text.length; index++) {
      hash = Math.imul(hash ^ text.charCodeAt(index), PRIME)
    }
    this.#hash = hash
  }

  /** @param value whole and not negative, at most 2^53 */
  foldNumber(value: number): void {
    const low = Math.imul(this.#hash ^ value, PRIME)
    this.#hash = Math.imul(low ^ (value / 0x1_0000_0000), PRIME)
  }

  /** As a number, for those who keep many. */
  get number(): number {
    return this.#hash
  }

  get value(): string {
    return hashText(this.#hash)
  }

  restore(value: string): void {
    this.#hash = Number.parseInt(value, 16) | 0
  }
}

export const hashText = (hash: number): string => (hash >>> 0).toString(16).padStart(8, '0')
