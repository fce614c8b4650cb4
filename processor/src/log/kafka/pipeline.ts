import { DEFAULT_TENANT } from '@tokenfuse/protocol'
import type { Kafka } from 'kafkajs'
import type { GovernorPorts, MeterPorts } from '../pipeline.ts'
import { KafkaAnnouncer } from './announcer.ts'
import { createKafka } from './client.ts'
import { KafkaEventLog } from './event-log.ts'
import { KafkaMeterSink } from './meter-sink.ts'
import { partitionOf } from './partition-of.ts'
import { PriceTopic } from './price-topic.ts'
import type { KafkaSettings } from './settings.ts'
import { KafkaSpanSource } from './span-source.ts'
import { EVENTS_TOPIC } from './topics.ts'
import { waitForTopics } from './wait-for-topics.ts'

/** A Kafka that has all topics, for the roles of one process. */
export class KafkaPipeline {
  readonly #kafka: Kafka
  readonly #eventPartitions: number
  readonly #say: (line: string) => void

  private constructor(kafka: Kafka, eventPartitions: number, say: (line: string) => void) {
    this.#kafka = kafka
    this.#eventPartitions = eventPartitions
    this.#say = say
  }

  /**
   * Waits for Kafka and its topics, and says so.
   * @throws TokenfuseError `kafka_topics` where one is not as it has to be
   */
  static async connect(
    settings: KafkaSettings,
    say: (line: string) => void,
  ): Promise<KafkaPipeline> {
    const partitions = await waitForTopics(settings, say)
    return new KafkaPipeline(createKafka(settings, say), partitions.get(EVENTS_TOPIC) ?? 1, say)
  }

  /**
   * The log of the default tenant's partition, and what is told to others.
   * @throws TokenfuseError `log_unavailable`, `log_mismatch`, `log_corrupt`
   */
  async governorPorts(stateFile: string): Promise<GovernorPorts> {
    const partition = partitionOf(DEFAULT_TENANT, this.#eventPartitions)
    const log = await KafkaEventLog.open({ kafka: this.#kafka, stateFile, partition })
    const announcer = new KafkaAnnouncer(this.#kafka, (error) => {
      this.#say(error instanceof Error ? error.message : String(error))
    })
    return { log, announcer }
  }

  meterPorts(): MeterPorts {
    return {
      source: new KafkaSpanSource(this.#kafka),
      sink: new KafkaMeterSink(this.#kafka, this.#eventPartitions),
      prices: new PriceTopic(this.#kafka),
    }
  }
}
