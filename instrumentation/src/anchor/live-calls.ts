/** A call that is not recorded yet. */
export interface UnfinishedCall {
  /** Records at once what is known: the process ends. */
  finishNow(): void
}

/** All calls that went out and are not recorded yet. */
export class LiveCalls {
  readonly #calls = new Set<UnfinishedCall>()

  add(call: UnfinishedCall): void {
    this.#calls.add(call)
  }

  delete(call: UnfinishedCall): void {
    this.#calls.delete(call)
  }

  finishAll(): void {
    for (const call of this.#calls) call.finishNow()
    this.#calls.clear()
  }
}
