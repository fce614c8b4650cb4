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
    return { row, numbers: this.numbersOf(row), at: this.placeOf(row) }
  }

  free(row: number): void {
    const at = this.placeOf(row)
    this.numbersOf(row).fill(0, at, at + this.#width)
    this.#free.push(row)
  }

  numbersOf(row: number): Float64Array {
    return this.#chunks[Math.floor(row / ROWS_A_CHUNK)] as Float64Array
  }

  placeOf(row: number): number {
    return (row % ROWS_A_CHUNK) * this.#width
  }
}
