import { setTimeout as wait } from 'node:timers/promises'
import { DEFAULT_TENANT } from '@tokenfuse/protocol'
import type { Admin } from 'kafkajs'
import { createKafka } from '../../processor/src/log/kafka/client.ts'
import { partitionOf } from '../../processor/src/log/kafka/partition-of.ts'
import { METER_GROUP } from '../../processor/src/log/kafka/span-source.ts'
import { EVENTS_TOPIC, SPANS_TOPIC } from '../../processor/src/log/kafka/topics.ts'
import type { RunningStack } from './running-stack.ts'

const POLL_MS = 250
/** So long must nothing move: many times what the Collector waits for a batch to fill. */
const QUIET_MS = 2000
const SETTLED_WITHIN_MS = 120_000

/**
 * Waits until every span that the Collector acknowledged is counted.
 * @param appliedOffset how far the processor has read its log
 */
export async function settledIn(
  stack: RunningStack,
  appliedOffset: () => Promise<number>,
): Promise<void> {
  const admin = createKafka({ brokers: [stack.brokers], tls: null, sasl: null }, () => {}).admin()
  await admin.connect()
  try {
    const giveUpMs = Date.now() + SETTLED_WITHIN_MS
    let quietSinceMs = Date.now()
    let before = ''
    while (Date.now() - quietSinceMs < QUIET_MS) {
      if (Date.now() > giveUpMs) throw new Error(`spans are still on their way: ${before}`)
      await wait(POLL_MS)
      const { isDone, place } = await lookAt(admin, await appliedOffset())
      const held = await heldByCollector(stack)
      const now = `${place} ${held}`
      if (!isDone || held > 0 || now !== before) quietSinceMs = Date.now()
      before = now
    }
  } finally {
    await admin.disconnect()
  }
}

/** Whether all that is in Kafka was metered and applied, and where everyone stands. */
async function lookAt(admin: Admin, appliedOffset: number) {
  const spans = await admin.fetchTopicOffsets(SPANS_TOPIC)
  const [group] = await admin.fetchOffsets({ groupId: METER_GROUP, topics: [SPANS_TOPIC] })
  const events = await admin.fetchTopicOffsets(EVENTS_TOPIC)
  const own = partitionOf(DEFAULT_TENANT, events.length)
  const end = Number(events.find(({ partition }) => partition === own)?.high)
  const isMetered = spans.every(({ partition, high }) => {
    const done = group?.partitions.find((place) => place.partition === partition)?.offset
    return Number(high) === 0 || done === high
  })
  const place = JSON.stringify({ spans, group, end, appliedOffset })
  return { isDone: isMetered && end === appliedOffset, place }
}

/** What the Collector holds that Kafka has not taken: 0 for nothing. After an outage it waits before it tries again. */
async function heldByCollector(stack: RunningStack): Promise<number> {
  const text = await (await fetch(stack.collector.selfMetricsUrl)).text()
  const gauges = text.matchAll(/^otelcol_exporter_(?:queue_size|in_flight_requests)\{.* (\S+)$/gm)
  return gauges.reduce((sum, [, value]) => sum + Number(value), 0)
}
