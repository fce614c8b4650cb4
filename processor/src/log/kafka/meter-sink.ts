import type { DeadLetter, LogEvent } from '@tokenfuse/protocol'
import type { Kafka } from 'kafkajs'
import { encodeEvent } from '../codec.ts'
import type { MeterSink } from '../pipeline.ts'
import { deadLetterRecord } from './dead-letter-topic.ts'
import { partitionOf } from './partition-of.ts'
import { type NewRecord, RecordWriter } from './record-writer.ts'
import { DEAD_LETTERS_TOPIC, EVENTS_TOPIC } from './topics.ts'

/** A call's events need not stay together, since each counts by itself; so they go in pieces of this much. */
const PIECE_CHARACTERS = 512 * 1024

/** Each tenant's events go to the partition of their tenant, dead letters to a topic of their own. */
export class KafkaMeterSink implements MeterSink {
  readonly #writers: readonly RecordWriter[]
  readonly #deadLetters: RecordWriter

  /** @param partitions how many the events topic has */
  constructor(kafka: Kafka, partitions: number) {
    this.#writers = Array.from({ length: partitions }, (_, partition) => {
      return new RecordWriter({ kafka, topic: EVENTS_TOPIC, partition })
    })
    this.#deadLetters = new RecordWriter({ kafka, topic: DEAD_LETTERS_TOPIC, partition: 0 })
  }

  async append(events: readonly LogEvent[]): Promise<void> {
    const byPartition = new Map<number, NewRecord[]>()
    for (const event of events) {
      const partition = partitionOf(event.tenant, this.#writers.length)
      const records = byPartition.get(partition) ?? []
      records.push({ key: event.tenant, value: encodeEvent(event) })
      byPartition.set(partition, records)
    }
    const writes = [...byPartition].flatMap(([partition, records]) => {
      const writer = this.#writers[partition]
      if (!writer) throw new RangeError(`there is no partition ${partition} of events`)
      return pieces(records).map((piece) => writer.write(piece))
    })
    await Promise.all(writes)
  }

  async keepDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    // One record a batch: each of them may be large.
    await Promise.all(letters.map((letter) => this.#deadLetters.write([deadLetterRecord(letter)])))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#writers, this.#deadLetters].map((writer) => writer.close()))
  }
}

function pieces(records: readonly NewRecord[]): NewRecord[][] {
  const result: NewRecord[][] = []
  let size = Infinity
  for (const record of records) {
    const { length } = record.value ?? ''
    if (size + length > PIECE_CHARACTERS) {
      result.push([])
      size = 0
    }
    result.at(-1)?.push(record)
    size += length
  }
  return result
}
