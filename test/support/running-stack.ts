import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { initKafka } from '../../processor/src/log/kafka/init-topics.ts'
import type { TopicOptions } from '../../processor/src/log/kafka/topics.ts'
import { type Collector, startCollector } from '../../scripts/stack/collector.ts'
import { type Kafka, startKafka } from '../../scripts/stack/kafka.ts'
import { missingTools } from '../../scripts/stack/tools.ts'

/** A Kafka with all topics and a Collector before it, with data of their own, that can be killed and started again. */
export class RunningStack {
  readonly #folder: string
  #kafka: Kafka
  #collector: Collector

  private constructor(folder: string, kafka: Kafka, collector: Collector) {
    this.#folder = folder
    this.#kafka = kafka
    this.#collector = collector
  }

  /**
   * @param folder where both keep their data and logs
   * @throws {Error} with what to install where something is missing
   */
  static async start(folder: string, topics: Partial<TopicOptions> = {}): Promise<RunningStack> {
    const missing = missingTools(['java', 'mvn', 'go'])
    if (missing.length > 0) throw new Error(`The stack needs ${missing.join(', and ')}.`)
    const kafka = await startKafka({ folder: join(folder, 'kafka') })
    try {
      await initKafka({ brokers: [kafka.bootstrap], tls: null, sasl: null }, topics)
      const token = randomBytes(32).toString('base64url')
      const collector = await startCollector({
        folder: join(folder, 'collector'),
        kafkaBrokers: kafka.bootstrap,
        token,
      })
      return new RunningStack(folder, kafka, collector)
    } catch (error) {
      await kafka.stop('SIGKILL')
      throw error
    }
  }

  /** Brokers, as `--kafka` takes them. */
  get brokers(): string {
    return this.#kafka.bootstrap
  }

  /** Where spans go. */
  get collector(): Pick<Collector, 'url' | 'token' | 'metricsUrl' | 'selfMetricsUrl'> {
    return this.#collector
  }

  /** Kills the broker with -9 and starts it again on the same data and ports. */
  async crashKafka(): Promise<void> {
    await this.#kafka.stop('SIGKILL')
    const { ports } = this.#kafka
    this.#kafka = await startKafka({ folder: join(this.#folder, 'kafka'), ports })
  }

  /** Kills the Collector with -9 and starts it again on the same queue and ports. */
  async crashCollector(): Promise<void> {
    const { ports, token } = this.#collector
    await this.#collector.stop('SIGKILL')
    this.#collector = await startCollector({
      folder: join(this.#folder, 'collector'),
      kafkaBrokers: this.brokers,
      token,
      ports,
    })
  }

  async stop(): Promise<void> {
    await this.#collector.stop()
    await this.#kafka.stop()
  }
}
