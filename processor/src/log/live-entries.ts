import type { LogEntry } from '@tokenfuse/protocol'

const MAX_ENTRIES = 10_000

/**
 * Entries on their way from a commit to one follower. Bounded: a follower that lags further behind finds the
 * buffer empty and reads from the store until it has caught up.
 */
export class LiveEntries {
  #entries: LogEntry[] = []
  #wake: (() => void) | null = null

  push(entries: readonly LogEntry[]): void {
    if (this.#entries.length + entries.length > MAX_ENTRIES) this.#entries = []
    else for (const entry of entries) this.#entries.push(entry)
    this.wake()
  }

  /** The entries that continue at `nextOffset`; empty where the buffer does not hold that one. */
  take(nextOffset: number): readonly LogEntry[] {
    const entries = this.#entries
    this.#entries = []
    const first = entries[0]
    if (first === undefined || first.offset > nextOffset) return []
    return first.offset === nextOffset ? entries : entries.slice(nextOffset - first.offset)
  }

  /** Resolves at the next `push` or `wake`. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  wake(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}
