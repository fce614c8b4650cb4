import { type Decision, decisionKey } from '@tokenfuse/protocol'
import type { Kafka } from 'kafkajs'
import type { Announcer, TenantPrices } from '../pipeline.ts'
import { KeyedPublisher } from './keyed-publisher.ts'
import { encodePrices } from './price-topic.ts'
import { DECISIONS_TOPIC, PRICES_TOPIC } from './topics.ts'

const WRITTEN_WITHIN_MS = 10_000

/** Decisions by what they are about and prices by tenant, each in a compacted topic. */
export class KafkaAnnouncer implements Announcer {
  readonly #decisions: KeyedPublisher
  readonly #prices: KeyedPublisher

  constructor(kafka: Kafka, onError: (error: unknown) => void) {
    this.#decisions = new KeyedPublisher({ kafka, topic: DECISIONS_TOPIC, partition: 0 }, onError)
    this.#prices = new KeyedPublisher({ kafka, topic: PRICES_TOPIC, partition: 0 }, onError)
  }

  decision(decision: Decision): void {
    this.#decisions.put(decisionKey(decision), JSON.stringify(decision))
  }

  prices(tenant: string, prices: TenantPrices): void {
    this.#prices.put(tenant, encodePrices(prices))
  }

  async written(): Promise<void> {
    await Promise.all([
      this.#decisions.written(WRITTEN_WITHIN_MS),
      this.#prices.written(WRITTEN_WITHIN_MS),
    ])
  }

  async close(): Promise<void> {
    await Promise.all([this.#decisions.close(), this.#prices.close()])
  }
}
