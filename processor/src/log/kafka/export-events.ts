import { DEFAULT_TENANT, type LogEvent } from '@tokenfuse/protocol'
import type { Kafka } from 'kafkajs'
import { decodeEvent } from '../codec.ts'
import type { ExportSpan } from '../sqlite/export-events.ts'
import { createKafka } from './client.ts'
import { fromKafkaError } from './errors.ts'
import { checkTopics } from './init-topics.ts'
import { PartitionReader, type ReadRecord } from './partition-reader.ts'
import { partitionOf } from './partition-of.ts'
import { within } from './record-writer.ts'
import type { KafkaSettings } from './settings.ts'
import { EVENTS_TOPIC } from './topics.ts'

/** Whoever waits for a file wants to hear soon that there is no broker. */
const RETRIES = 2
const LEAVE_MS = 3000

/** Where the log of the tenant lies, from the first record that is wanted to its end of now. */
type Extent = { readonly partition: number; readonly first: number; readonly end: number }

/**
 * Usage events and ends of tasks of the default tenant, in the order of the log, as far as it goes now. It only
 * reads, in a group of its own.
 * @param say takes what the client warns of
 * @throws TokenfuseError `log_unavailable`, `kafka_topics`, `log_corrupt`
 */
export async function* exportKafkaEvents(
  settings: KafkaSettings,
  { sinceMs, untilMs }: ExportSpan,
  say: (line: string) => void,
): AsyncGenerator<LogEvent> {
  const kafka = createKafka(settings, say, RETRIES)
  const { partition, first, end } = await extentOf(kafka, sinceMs)
  if (first >= end) return
  const reader = new PartitionReader({
    kafka,
    topic: EVENTS_TOPIC,
    partition,
    fromOffset: first,
    mayHaveGaps: false,
  })
  for await (const records of reader.read()) {
    for (const record of records) {
      if (record.offset >= end) return
      const event = record.timeMs < (untilMs ?? Infinity) ? eventOf(record) : null
      if (event !== null) yield event
      if (record.offset === end - 1) return
    }
  }
}

async function extentOf(kafka: Kafka, sinceMs: number | null): Promise<Extent> {
  const admin = kafka.admin()
  try {
    await admin.connect()
    const partitions = await checkTopics(admin)
    const partition = partitionOf(DEFAULT_TENANT, partitions.get(EVENTS_TOPIC) ?? 1)
    const isOurs = (place: { readonly partition: number }) => place.partition === partition
    const place = (await admin.fetchTopicOffsets(EVENTS_TOPIC)).find(isOurs)
    const from =
      sinceMs === null
        ? null
        : (await admin.fetchTopicOffsetsByTimestamp(EVENTS_TOPIC, sinceMs)).find(isOurs)
    return {
      partition,
      first: Number(from?.offset ?? place?.low ?? 0),
      end: Number(place?.high ?? 0),
    }
  } catch (error) {
    throw fromKafkaError(error, 'the event log was not read', false)
  } finally {
    await within(LEAVE_MS, admin.disconnect())
  }
}

function eventOf({ value, offset }: ReadRecord): LogEvent | null {
  const event = decodeEvent(value?.toString('utf8') ?? '', offset + 1)
  return event.type === 'usage' || event.type === 'task.end' ? event : null
}
