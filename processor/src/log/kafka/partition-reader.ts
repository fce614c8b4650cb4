import { randomUUID } from 'node:crypto'
import { TokenfuseError } from '@tokenfuse/protocol'
import type { Consumer, EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs'
import { RETRY } from './client.ts'
import { within } from './record-writer.ts'

export type ReadRecord = {
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly timeMs: number
  readonly key: string | null
  readonly value: Buffer | null
}

export type PartitionReaderOptions = {
  readonly kafka: Kafka
  readonly topic: string
  readonly partition: number
  readonly fromOffset: number
  /** Whether offsets may be missing, as they do in a compacted topic. */
  readonly mayHaveGaps: boolean
  /** Told of the end of the partition, as each fetch sees it: the offset that the next record gets. */
  readonly onEnd?: (endOffset: number) => void
}

/** Records held for a reader that is slower than Kafka; beyond them fetching is paused. */
const MAX_HELD_RECORDS = 20_000
/** How long a fetch of an idle partition is held by the broker, which is also how long an end may take. */
const MAX_WAIT_MS = 1000
const LEAVE_MS = 3000

/**
 * Reads one partition from an offset on, in order, without gap or repeat. A consumer group of its own gives each
 * reader every partition; where it reads is its own affair, so it seeks and commits nothing.
 */
export class PartitionReader {
  readonly #options: PartitionReaderOptions
  readonly #consumer: Consumer
  /** Held until they are taken; each in the order of the log. */
  #held: ReadRecord[][] = []
  #heldRecords = 0
  #next: number
  #isPaused = false
  #wake: (() => void) | null = null
  #failure: { readonly error: unknown } | null = null
  #ended = false

  constructor(options: PartitionReaderOptions) {
    this.#options = options
    this.#next = options.fromOffset
    this.#consumer = options.kafka.consumer({
      groupId: `tokenfuse-reader-${randomUUID()}`,
      allowAutoTopicCreation: false,
      maxWaitTimeInMs: MAX_WAIT_MS,
      maxBytesPerPartition: 4 * 1024 ** 2,
      retry: { ...RETRY, restartOnFailure: async () => true },
    })
  }

  /** Batches as they come, until `end`. May be called once. */
  async *read(): AsyncGenerator<readonly ReadRecord[]> {
    try {
      await this.#start()
      for (;;) {
        if (this.#failure) throw this.#failure.error
        if (this.#ended) return
        const batch = this.#take()
        if (batch === undefined) await new Promise<void>((resolve) => (this.#wake = resolve))
        else yield batch
      }
    } finally {
      this.#ended = true
      await within(LEAVE_MS, this.#consumer.disconnect())
    }
  }

  /** Ends the reading, also while it waits. */
  end(): void {
    this.#ended = true
    this.#wakeUp()
  }

  async #start(): Promise<void> {
    const { topic } = this.#options
    const { GROUP_JOIN, CRASH } = this.#consumer.events
    // Runs before the first fetch of each generation of the group.
    this.#consumer.on(GROUP_JOIN, ({ payload }) => {
      this.#seek(payload.memberAssignment[topic] ?? [])
    })
    this.#consumer.on(CRASH, ({ payload: { error, restart } }) => {
      if (!restart) this.#fail(error)
    })
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [topic], fromBeginning: true })
    await this.#consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => this.#accept(payload),
    })
  }

  #seek(partitions: readonly number[]): void {
    const { topic, partition } = this.#options
    this.#consumer.seek({ topic, partition, offset: String(this.#next) })
    const others = partitions.filter((other) => other !== partition)
    if (others.length > 0) this.#consumer.pause([{ topic, partitions: others }])
  }

  /** Takes what continues at the next offset; what was taken before comes again when a broker fails. */
  #accept(payload: EachBatchPayload): void {
    const { batch } = payload
    const { partition, mayHaveGaps, onEnd } = this.#options
    if (batch.partition !== partition || this.#failure) return
    onEnd?.(Number(batch.highWatermark))
    const fresh = batch.messages.filter(({ offset }) => Number(offset) >= this.#next)
    const first = Number(fresh[0]?.offset ?? this.#next)
    if (first > this.#next && !mayHaveGaps) {
      this.#fail(missing(this.#options.topic, this.#next, first))
      return
    }
    const last = Number(fresh.at(-1)?.offset ?? this.#next - 1)
    if (!mayHaveGaps && last - first + 1 !== fresh.length) {
      this.#fail(missing(this.#options.topic, first, last))
      return
    }
    payload.resolveOffset(batch.lastOffset())
    if (fresh.length === 0) return
    this.#next = last + 1
    this.#held.push(fresh.map(readRecord))
    this.#heldRecords += fresh.length
    if (this.#heldRecords > MAX_HELD_RECORDS) this.#pause()
    this.#wakeUp()
  }

  #take(): readonly ReadRecord[] | undefined {
    const batch = this.#held.shift()
    this.#heldRecords -= batch?.length ?? 0
    if (this.#isPaused && this.#heldRecords < MAX_HELD_RECORDS / 2) {
      this.#isPaused = false
      this.#consumer.resume(this.#place())
    }
    return batch
  }

  #pause(): void {
    this.#isPaused = true
    this.#consumer.pause(this.#place())
  }

  #place() {
    const { topic, partition } = this.#options
    return [{ topic, partitions: [partition] }]
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wakeUp()
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }
}

function readRecord({ offset, timestamp, key, value }: KafkaMessage): ReadRecord {
  return {
    offset: Number(offset),
    timeMs: Number(timestamp),
    key: key?.toString('utf8') ?? null,
    value,
  }
}

function missing(topic: string, wanted: number, found: number): TokenfuseError {
  return new TokenfuseError('log_corrupt', `${topic} has nothing from ${wanted} to ${found - 1}`, {
    fix: 'What Kafka has deleted is only in snapshots: copy the data folder of a processor that has read it.',
  })
}
