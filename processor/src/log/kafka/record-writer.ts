import { TokenfuseError } from '@tokenfuse/protocol'
import kafkajs, { type IHeaders, type Kafka, type Producer } from 'kafkajs'
import { fromKafkaError } from './errors.ts'
import { MAX_BATCH_BYTES } from './topics.ts'

export type NewRecord = {
  readonly key: string | null
  /** `null` removes the key from a compacted topic. */
  readonly value: string | Uint8Array | null
  readonly headers?: Readonly<Record<string, string>>
}

/** Where the first record of a call came to stand, and the time that the log gave them all. */
export type Written = { readonly offset: number; readonly timeMs: number }

type Call = {
  readonly records: readonly NewRecord[]
  readonly bytes: number
  readonly resolve: (written: Written) => void
  readonly reject: (error: unknown) => void
}

/** Calls that wait share a send up to this much; a call that is larger goes alone. */
const SHARED_SEND_BYTES = 1024 ** 2
const MAX_WAITING_BYTES = 64 * 1024 ** 2
/** A record costs this much besides its key and value, at most. */
const RECORD_OVERHEAD_BYTES = 100
/** Less is not worth the time that compression takes. */
const COMPRESS_FROM_BYTES = 4096
/** How long `close` lets what waits go out. */
const DRAIN_MS = 5000

export type RecordWriterOptions = {
  readonly kafka: Kafka
  readonly topic: string
  readonly partition: number
  /** The time that records carry where the topic does not stamp them itself, ms since 1970. */
  readonly now?: () => number
}

/**
 * Writes to one partition, in order, each call in one piece. One send is under way at a time and goes to this
 * partition alone: kafkajs loses records of a send to several when a leader fails
 * (https://github.com/tulios/kafkajs/issues/1303).
 */
export class RecordWriter {
  readonly #options: RecordWriterOptions
  #producer: Producer | null = null
  #waiting: Call[] = []
  #waitingBytes = 0
  #sending: Promise<void> | null = null
  #closed = false

  constructor(options: RecordWriterOptions) {
    this.#options = options
  }

  /**
   * Resolves when every in-sync replica has the records. Where it rejects with `log_unavailable`, they may be in the
   * log all the same, since an answer can be lost.
   * @throws TokenfuseError `log_unavailable`, `overloaded`, or `bad_request` where they are too large for one batch
   */
  async write(records: readonly NewRecord[]): Promise<Written> {
    if (this.#closed) throw new TokenfuseError('log_unavailable', 'the event log is closed')
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0)
    if (bytes > MAX_BATCH_BYTES) {
      const message = `${records.length} records of ${bytes} bytes are more than one batch of Kafka holds`
      throw new TokenfuseError('bad_request', message, { fix: 'Send fewer at a time.' })
    }
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      throw new TokenfuseError('overloaded', 'Kafka does not take records as fast as they come', {
        retryable: true,
      })
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ records, bytes, resolve, reject })
      this.#waitingBytes += bytes
      this.#sending ??= this.#sendWaiting()
    })
  }

  /** Lets what waits go out for a moment and lets go of the connection. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await within(DRAIN_MS, this.#sending ?? Promise.resolve())
    const closed = new TokenfuseError('log_unavailable', 'the event log was closed')
    for (const call of this.#waiting.splice(0)) call.reject(closed)
    await within(DRAIN_MS, this.#producer?.disconnect() ?? Promise.resolve())
  }

  async #sendWaiting(): Promise<void> {
    // Calls of one turn of the event loop share a send.
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) {
      const calls = this.#takeCalls()
      try {
        const written = await this.#send(calls.flatMap(({ records }) => records))
        let { offset } = written
        for (const { records, resolve } of calls) {
          resolve({ offset, timeMs: written.timeMs })
          offset += records.length
        }
      } catch (error) {
        // Its sequence numbers may be of no use any more; the next send begins with new ones.
        const failed = this.#producer
        this.#producer = null
        void failed?.disconnect().catch(() => {})
        const reason = fromKafkaError(error, `${this.#options.topic} was not written`)
        for (const { reject } of calls) reject(reason)
      }
    }
    this.#sending = null
  }

  #takeCalls(): Call[] {
    let bytes = 0
    let count = 0
    for (const call of this.#waiting) {
      if (count > 0 && bytes + call.bytes > SHARED_SEND_BYTES) break
      bytes += call.bytes
      count++
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  async #send(records: readonly NewRecord[]): Promise<Written> {
    const { topic, partition, now = Date.now } = this.#options
    const bytes = records.reduce((sum, record) => sum + sizeOf(record), 0)
    const { GZIP, None } = kafkajs.CompressionTypes
    const nowMs = Math.floor(now())
    const producer = await this.#connected()
    const [answer] = await producer.send({
      topic,
      acks: -1,
      compression: bytes >= COMPRESS_FROM_BYTES ? GZIP : None,
      messages: records.map(({ key, value, headers = {} }) => ({
        partition,
        key,
        value: typeof value === 'string' || value === null ? value : Buffer.from(value),
        headers: headers as IHeaders,
        timestamp: String(nowMs),
      })),
    })
    const offset = Number(answer?.baseOffset)
    if (!Number.isSafeInteger(offset) || offset < 0) {
      throw new Error(`Kafka answered with offset ${String(answer?.baseOffset)}`)
    }
    const stampedMs = Number(answer?.logAppendTime ?? -1)
    return { offset, timeMs: stampedMs >= 0 ? stampedMs : nowMs }
  }

  async #connected(): Promise<Producer> {
    if (this.#producer) return this.#producer
    const producer = this.#options.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      // Each record names its partition; named so that kafkajs does not warn of its default.
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    this.#producer = producer
    return producer
  }
}

/** Resolves when the work ends, however, or after a time. */
export async function within(timeMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeMs)
  })
  await Promise.race([work.catch(() => {}), late])
  clearTimeout(timer)
}

function sizeOf({ key, value, headers = {} }: NewRecord): number {
  const size = (part: string | Uint8Array | null) =>
    typeof part === 'string' ? Buffer.byteLength(part) : (part?.byteLength ?? 0)
  const named = Object.entries(headers).reduce(
    (sum, [name, text]) => sum + size(name) + size(text),
    0,
  )
  return size(key) + size(value) + named + RECORD_OVERHEAD_BYTES
}
