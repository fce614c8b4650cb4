import { setTimeout as wait } from 'node:timers/promises'
import { TokenfuseError } from '@tokenfuse/protocol'
import { createKafka } from './client.ts'
import { checkTopics } from './init-topics.ts'
import { within } from './record-writer.ts'
import type { KafkaSettings } from './settings.ts'

const RETRY_MS = 1000

/**
 * Waits until Kafka answers and has every topic, and says what it waits for.
 * @returns how many partitions each topic has
 * @throws TokenfuseError `kafka_topics` where one is not as it has to be
 */
export async function waitForTopics(
  settings: KafkaSettings,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, number>> {
  // One that gives up soon, so that it is said what is waited for.
  const kafka = createKafka(settings, say, 1)
  for (;;) {
    const admin = kafka.admin()
    try {
      await admin.connect()
      return await checkTopics(admin)
    } catch (error) {
      const isOurs = TokenfuseError.isInstance(error)
      if (isOurs && !error.retryable) throw error
      const fix = isOurs ? ` ${error.fix}` : ''
      const reason = error instanceof Error ? error.message : String(error)
      say(`waiting for Kafka at ${settings.brokers.join(', ')}: ${reason}.${fix}`)
    } finally {
      await within(RETRY_MS, admin.disconnect())
    }
    await wait(RETRY_MS)
  }
}
