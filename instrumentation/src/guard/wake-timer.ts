/** One timer that is moved, not multiplied. Keeps the process alive only where somebody waits for it. */
export class WakeTimer {
  readonly #work: () => void
  #timer: NodeJS.Timeout | null = null
  #dueMs = Number.POSITIVE_INFINITY

  constructor(work: () => void) {
    this.#work = work
  }

  /** @param inMs from now; infinite for never */
  at(inMs: number, holdsProcess: boolean): void {
    const dueMs = performance.now() + Math.max(0, inMs)
    if (this.#timer !== null && Math.abs(dueMs - this.#dueMs) < 1) {
      if (holdsProcess) this.#timer.ref()
      else this.#timer.unref()
      return
    }
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#dueMs = dueMs
    if (dueMs === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => this.#run(), Math.max(0, inMs))
    if (!holdsProcess) this.#timer.unref()
  }

  #run(): void {
    this.#timer = null
    this.#dueMs = Number.POSITIVE_INFINITY
    this.#work()
  }
}
