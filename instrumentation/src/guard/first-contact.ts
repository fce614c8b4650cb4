/** How long calls wait, at the very start of a process, to hear whether there is a policy. */
const CONTACT_MS = 1_000

/** The first word of the processor: until then nobody knows which budgets there are. */
export class FirstContact {
  readonly #startedMs = performance.now()
  readonly #heard = Promise.withResolvers<void>()
  #isOver = false

  /** What to wait for, or `null` where it has come, or will not come soon. */
  pending(): Promise<void> | null {
    if (this.#isOver) return null
    const leftMs = CONTACT_MS - (performance.now() - this.#startedMs)
    if (leftMs <= 0) {
      this.#end()
      return null
    }
    // The app waits for its call, so this timer may keep its process alive.
    const timer = setTimeout(() => this.#end(), leftMs)
    return this.#heard.promise.finally(() => clearTimeout(timer))
  }

  made(): void {
    this.#end()
  }

  failed(): void {
    this.#end()
  }

  #end(): void {
    this.#isOver = true
    this.#heard.resolve()
  }
}
