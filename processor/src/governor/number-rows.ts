const ROWS_A_CHUNK = 1024

/** Where a row stands: from `at` on in `numbers`. */
export type NumberRow = {
  readonly row: number
  readonly numbers: Float64Array
  readonly at: number
}

/**
 * Rows of numbers in few large arrays: a tenth of the memory of an array each, and what belongs together stands
 * together.
 */
export class NumberRows {
  readonly #width: number
  readonly #chunks: Float64Array[] = []
  readonly #free: number[] = []
  #rows = 0

  constructor(width: number) {
    this.#width = width
  }

  /** A row of zeros. */
  allocate(): NumberRow {
    const row = this.#free.pop() ?? this.#rows++
    if (row >= this.#chunks.length * ROWS_A_CHUNK) {
      this.#chunks.push(new Float64Array(this.#width * ROWS_A_CHUNK))
    }
    return this.#at(row)
  }

  free(row: number): void {
    const { numbers, at } = this.#at(row)
    numbers.fill(0, at, at + this.#width)
    this.#free.push(row)
  }

  #at(row: number): NumberRow {
    const numbers = this.#chunks[Math.floor(row / ROWS_A_CHUNK)] as Float64Array
    return { row, numbers, at: (row % ROWS_A_CHUNK) * this.#width }
  }
}
