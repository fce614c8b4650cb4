const MAX_GUARDS = 10_000

/** Turns what each guard says it had to drop so far into what was dropped since it said so last. */
export class AgentDrops {
  readonly #last = new Map<string, number>()

  /** @returns how many more spans were dropped, by all these guards */
  add(dropped: ReadonlyMap<string, number>): number {
    let more = 0
    for (const [guard, count] of dropped) {
      const before = this.#last.get(guard) ?? 0
      if (count <= before) continue
      more += count - before
      // Set anew, so that the guard silent for longest is the first to be forgotten.
      this.#last.delete(guard)
      this.#last.set(guard, count)
      const oldest = this.#last.size > MAX_GUARDS ? this.#last.keys().next().value : undefined
      if (oldest !== undefined) this.#last.delete(oldest)
    }
    return more
  }
}
