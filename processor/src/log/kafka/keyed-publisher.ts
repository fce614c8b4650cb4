import { setTimeout as wait } from 'node:timers/promises'
import { TokenfuseError } from '@tokenfuse/protocol'
import { RecordWriter, type RecordWriterOptions, within } from './record-writer.ts'

const MAX_RECORDS = 500
const RETRY_MS = 1000

type Waiter = { readonly puts: number; readonly resolve: () => void }

/**
 * Writes the newest value of each key to a compacted topic, in the background, as often as it takes. Bounded by the
 * number of keys: a value that is replaced before it was written is not written.
 */
export class KeyedPublisher {
  readonly #writer: RecordWriter
  readonly #onError: (error: unknown) => void
  readonly #waiting = new Map<string, string>()
  /** Values put so far, and how many of the first of them are written or replaced. */
  #puts = 0
  #writtenPuts = 0
  #waiters: Waiter[] = []
  #isPublishing = false
  #closed = false

  /** @param onError is told of what could not be written; it is tried again */
  constructor(options: RecordWriterOptions, onError: (error: unknown) => void) {
    this.#writer = new RecordWriter(options)
    this.#onError = onError
  }

  put(key: string, value: string): void {
    // Set anew, so that keys are written in the order of their newest values.
    this.#waiting.delete(key)
    this.#waiting.set(key, value)
    this.#puts++
    if (!this.#isPublishing) void this.#publish()
  }

  /**
   * Resolves when all that was put until now is written.
   * @throws TokenfuseError `log_unavailable` where that takes longer than this
   */
  async written(withinMs: number): Promise<void> {
    const puts = this.#puts
    if (this.#writtenPuts >= puts) return
    await within(withinMs, new Promise<void>((resolve) => this.#waiters.push({ puts, resolve })))
    if (this.#writtenPuts >= puts) return
    const message = `${this.#waiting.size} records could not be published yet`
    throw new TokenfuseError('log_unavailable', message, { retryable: true })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#writer.close()
  }

  async #publish(): Promise<void> {
    this.#isPublishing = true
    while (this.#waiting.size > 0 && !this.#closed) {
      const puts = this.#puts
      const taken = [...this.#waiting]
      this.#waiting.clear()
      await this.#write(taken)
      this.#writtenPuts = puts
      const waiters = this.#waiters
      this.#waiters = waiters.filter((waiter) => waiter.puts > puts)
      for (const waiter of waiters) if (waiter.puts <= puts) waiter.resolve()
    }
    this.#isPublishing = false
  }

  async #write(records: readonly (readonly [key: string, value: string])[]): Promise<void> {
    for (let from = 0; from < records.length && !this.#closed;) {
      const piece = records.slice(from, from + MAX_RECORDS)
      try {
        await this.#writer.write(piece.map(([key, value]) => ({ key, value })))
        from += MAX_RECORDS
      } catch (error) {
        if (this.#closed) return
        this.#onError(error)
        await wait(RETRY_MS, undefined, { ref: false })
      }
    }
  }
}
