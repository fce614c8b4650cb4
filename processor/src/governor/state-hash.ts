/** A running hash (FNV-1a, 32 bit) over what the governor did: equal on replicas that did the same. */
export class StateHash {
  #hash = 0x811c9dc5

  fold(text: string): void {
    for (let index = 0; index < text.length; index++) {
      this.#hash = Math.imul(this.#hash ^ text.charCodeAt(index), 0x01000193) >>> 0
    }
  }

  foldNumber(value: number): void {
    this.#hash = Math.imul(this.#hash ^ (value >>> 0), 0x01000193) >>> 0
  }

  foldAmount(value: bigint): void {
    this.foldNumber(Number(BigInt.asUintN(32, value)))
    this.foldNumber(Number(BigInt.asUintN(32, value >> 32n)))
  }

  get value(): string {
    return this.#hash.toString(16).padStart(8, '0')
  }

  restore(value: string): void {
    this.#hash = Number.parseInt(value, 16)
  }
}
