import { TokenfuseError } from '@tokenfuse/protocol'
import type { Consumer, EachBatchPayload, Kafka } from 'kafkajs'
import type { SpanRecord, SpanSource } from '../pipeline.ts'
import { RETRY } from './client.ts'
import { within } from './record-writer.ts'
import { SPANS_TOPIC } from './topics.ts'

/** All meters share the partitions of the spans. */
export const METER_GROUP = 'tokenfuse.meter'
const SESSION_MS = 6000
const HEARTBEAT_MS = 1500
/** How long a fetch of idle partitions is held by the broker, which is also how long an end may take. */
const MAX_WAIT_MS = 1000
const PARTITIONS_AT_ONCE = 4
/** How long the end waits for what is in work. */
const DRAIN_MS = 10_000

/**
 * The records that the Collector writes. Each is handled at least once: its offset is committed only after the handler
 * has ended. After a rebalance one may be handled by two meters, so what they add has to be recognised when it comes
 * again.
 */
export class KafkaSpanSource implements SpanSource {
  readonly #consumer: Consumer
  readonly #ended = Promise.withResolvers<void>()
  #isJoined = false
  #closed = false

  constructor(kafka: Kafka) {
    this.#consumer = kafka.consumer({
      groupId: METER_GROUP,
      allowAutoTopicCreation: false,
      sessionTimeout: SESSION_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: MAX_WAIT_MS,
      retry: { ...RETRY, restartOnFailure: async () => true },
    })
    // Whether somebody waits for it or not.
    this.#ended.promise.catch(() => {})
  }

  get ended(): Promise<void> {
    return this.#ended.promise
  }

  get isJoined(): boolean {
    return this.#isJoined
  }

  async run(handle: (record: SpanRecord) => Promise<void>): Promise<void> {
    const { GROUP_JOIN, CRASH, REBALANCING } = this.#consumer.events
    this.#consumer.on(GROUP_JOIN, () => (this.#isJoined = true))
    this.#consumer.on(REBALANCING, () => (this.#isJoined = false))
    this.#consumer.on(CRASH, ({ payload: { error, restart } }) => {
      if (!restart) this.#ended.reject(error)
    })
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [SPANS_TOPIC], fromBeginning: true })
    await this.#consumer.run({
      // Commits what is resolved, at the end of each batch.
      autoCommit: true,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
      eachBatch: (payload) => this.#handleBatch(payload, handle),
    })
  }

  /** Lets what is in work end, commits it and leaves the group. */
  async close(): Promise<void> {
    this.#closed = true
    await within(DRAIN_MS, this.#consumer.disconnect())
    this.#ended.resolve()
  }

  async #handleBatch(
    payload: EachBatchPayload,
    handle: (record: SpanRecord) => Promise<void>,
  ): Promise<void> {
    const { topic, partition, messages } = payload.batch
    for (const { offset, value } of messages) {
      if (this.#closed || !payload.isRunning() || payload.isStale()) return
      const source = `kafka:${topic}/${partition}@${offset}`
      try {
        if (value !== null) await handle({ source, value })
      } catch (error) {
        const isRetryable = TokenfuseError.isInstance(error) && error.retryable
        // kafkajs begins the batch again from here.
        if (!isRetryable) this.#ended.reject(error)
        throw error
      }
      payload.resolveOffset(offset)
      await payload.heartbeat()
    }
  }
}
