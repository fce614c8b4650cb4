const PLACES = 4096

/** The numbers of kinds that were seen of late, so that kinds which never come again are not kept. */
export class SeenNumbers {
  readonly #numbers = new Int32Array(PLACES).fill(-1)

  /** Whether a number was seen before; from now on it was, until many others are. */
  see(number: number): boolean {
    const place = number & (PLACES - 1)
    if (this.#numbers[place] === number) return true
    this.#numbers[place] = number
    return false
  }
}
