import { randomUUID } from 'node:crypto'
import type { Consumer } from 'kafkajs'
import { type OtlpValue, spansOfProtobuf, type WireSpan } from '../../processor/meter/otlp.ts'
import { testKafka } from '../../support/stack.ts'

const ARRIVES_WITHIN_MS = 20_000

export type FoundSpan = {
  readonly span: WireSpan
  /** The whole record that it came in. */
  readonly record: Buffer
  value(attribute: string): OtlpValue | undefined
}

/** The spans of a topic as they come, by trace. */
export class SpanTopic {
  readonly #consumer: Consumer
  readonly #found = new Map<string, FoundSpan>()
  #arrived = Promise.withResolvers<void>()

  private constructor(consumer: Consumer) {
    this.#consumer = consumer
  }

  /** Reads a topic from its beginning until it is closed. */
  static async open(topic: string): Promise<SpanTopic> {
    const kafka = await testKafka()
    const consumer = kafka.consumer({ groupId: `test-${randomUUID()}`, maxWaitTimeInMs: 100 })
    const spans = new SpanTopic(consumer)
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await spans.#run()
    return spans
  }

  close(): Promise<void> {
    return this.#consumer.disconnect()
  }

  has(traceId: string): boolean {
    return this.#found.has(traceId)
  }

  /** Waits for the span of a trace. */
  async find(traceId: string): Promise<FoundSpan> {
    const giveUp = AbortSignal.timeout(ARRIVES_WITHIN_MS)
    for (;;) {
      const found = this.#found.get(traceId)
      if (found) return found
      await new Promise<void>((resolve, reject) => {
        const late = () => reject(new Error(`no span of trace ${traceId} arrived`))
        giveUp.addEventListener('abort', late, { once: true })
        void this.#arrived.promise.then(() => {
          giveUp.removeEventListener('abort', late)
          resolve()
        })
      })
    }
  }

  async #run(): Promise<void> {
    await this.#consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        const record = message.value ?? Buffer.alloc(0)
        for (const span of spansOfProtobuf(record)) {
          const value = (name: string) => span.attributes?.find(({ key }) => key === name)?.value
          this.#found.set(span.traceId, { span, record, value })
        }
        const { resolve } = this.#arrived
        this.#arrived = Promise.withResolvers<void>()
        resolve()
      },
    })
  }
}
