import { TokenfuseError } from '@tokenfuse/protocol'
import type { Kafka } from 'kafkajs'
import type { PriceFeed, PricesOfTenant, TenantPrices } from '../pipeline.ts'
import { PartitionReader } from './partition-reader.ts'
import { PRICES_TOPIC } from './topics.ts'

export function encodePrices(prices: TenantPrices): string {
  return JSON.stringify({ v: 1, ...prices })
}

/** @throws TokenfuseError `state_version` where a newer version wrote it, `log_corrupt` where it is none */
function decodePrices(text: string): TenantPrices {
  const value = JSON.parse(text) as { v?: unknown } & TenantPrices
  if (value.v !== 1) {
    throw new TokenfuseError('state_version', `${PRICES_TOPIC} holds prices of another version`, {
      fix: 'Start the version of tokenfuse that wrote them, or a newer one.',
    })
  }
  if (!Array.isArray(value.prices)) {
    throw new TokenfuseError('log_corrupt', `${PRICES_TOPIC} holds something that is no prices`)
  }
  return value
}

/** The prices of every tenant, as `tokenfuse.prices` holds them. */
export class PriceTopic implements PriceFeed {
  readonly #reader: PartitionReader
  #endOffset = 0

  constructor(kafka: Kafka) {
    this.#reader = new PartitionReader({
      kafka,
      topic: PRICES_TOPIC,
      partition: 0,
      fromOffset: 0,
      mayHaveGaps: true,
      onEnd: (endOffset) => (this.#endOffset = endOffset),
    })
  }

  async *follow(): AsyncGenerator<PricesOfTenant> {
    for await (const records of this.#reader.read()) {
      for (const { key, value, offset } of records) {
        if (key === null || value === null) continue
        const prices = decodePrices(value.toString('utf8'))
        yield { tenant: key, prices, isNewest: offset + 1 >= this.#endOffset }
      }
    }
  }

  close(): void {
    this.#reader.end()
  }
}
