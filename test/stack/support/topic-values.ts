import { randomUUID } from 'node:crypto'
import type { Consumer, Kafka } from 'kafkajs'
import { createKafka } from '../../../processor/src/log/kafka/client.ts'
import { until } from './until.ts'

export type TopicValue = {
  readonly key: string
  readonly value: string
  readonly headers: Readonly<Record<string, string>>
}

/** A topic as any consumer sees it, from its beginning. */
export class TopicValues {
  readonly #kafka: Kafka
  readonly #topic: string
  readonly #consumer: Consumer
  readonly #values: TopicValue[] = []

  private constructor(kafka: Kafka, topic: string) {
    this.#kafka = kafka
    this.#topic = topic
    this.#consumer = kafka.consumer({ groupId: `test-${randomUUID()}`, maxWaitTimeInMs: 100 })
  }

  static async open(brokers: string, topic: string): Promise<TopicValues> {
    const kafka = createKafka({ brokers: [brokers], tls: null, sasl: null }, () => {})
    const values = new TopicValues(kafka, topic)
    await values.#start()
    return values
  }

  /** Waits for a record whose value fits. */
  async find(fits: (value: string) => boolean): Promise<TopicValue> {
    let found: TopicValue | undefined
    await until(async () => {
      found = this.#values.find(({ value }) => fits(value))
      return found !== undefined
    }, `a record of ${this.#topic} fits`)
    return found as TopicValue
  }

  async write(value: string): Promise<void> {
    const producer = this.#kafka.producer()
    await producer.connect()
    await producer.send({ topic: this.#topic, messages: [{ value }] })
    await producer.disconnect()
  }

  close(): Promise<void> {
    return this.#consumer.disconnect()
  }

  async #start(): Promise<void> {
    await this.#consumer.connect()
    await this.#consumer.subscribe({ topics: [this.#topic], fromBeginning: true })
    await this.#consumer.run({
      autoCommit: false,
      eachMessage: async ({ message: { key, value, headers = {} } }) => {
        const texts = Object.entries(headers).map(([name, text]) => [name, String(text)])
        this.#values.push({
          key: key?.toString() ?? '',
          value: value?.toString() ?? '',
          headers: Object.fromEntries(texts) as Record<string, string>,
        })
      },
    })
  }
}
