/** How long the first calls of a process wait to hear whether there is a policy. */
const CONTACT_MS = 3_000

/**
 * The first word of the processor: until then nobody knows which budgets there are. Where nothing listens this is
 * known at once; the wait is for a processor that is there and slow. It begins with the first call, not with the
 * process, since nothing is heard while an app loads its modules.
 */
export class FirstContact {
  readonly #onGivenUp: () => void
  #waiting: PromiseWithResolvers<void> | null = null
  #isOver = false

  /** @param onGivenUp called before the calls go on without having heard of a policy */
  constructor(onGivenUp: () => void) {
    this.#onGivenUp = onGivenUp
  }

  /** What to wait for, or `null` where it has come, or will not come soon. */
  pending(): Promise<void> | null {
    if (this.#isOver) return null
    if (this.#waiting === null) {
      this.#waiting = Promise.withResolvers()
      // The app waits for its call, so this timer may keep its process alive.
      const timer = setTimeout(() => this.giveUp(), CONTACT_MS)
      void this.#waiting.promise.then(() => clearTimeout(timer))
    }
    return this.#waiting.promise
  }

  /** The policy is known. */
  heard(): void {
    this.#isOver = true
    this.#waiting?.resolve()
  }

  /** There is nobody to ask. */
  giveUp(): void {
    if (this.#isOver) return
    this.#onGivenUp()
    this.heard()
  }
}
