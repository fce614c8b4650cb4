import type { DeadLetter, LogEntry, LogEvent, UsageEvent } from '@tokenfuse/protocol'
import { TokenfuseError } from '@tokenfuse/protocol'
import type { Admin, Kafka } from 'kafkajs'
import { decodeEvent, encodeEvent } from '../codec.ts'
import type { EventLog, LogStats, StateChange, StoredState } from '../port.ts'
import { StateFile } from '../sqlite/state-file.ts'
import { deadLetterRecord } from './dead-letter-topic.ts'
import { fromKafkaError } from './errors.ts'
import { PartitionReader, type ReadRecord } from './partition-reader.ts'
import { RecordWriter, within } from './record-writer.ts'
import { DEAD_LETTERS_TOPIC, EVENTS_TOPIC } from './topics.ts'

export type KafkaLogOptions = {
  readonly kafka: Kafka
  /** Where the state is stored, with the offset that it came from. */
  readonly stateFile: string
  /** Of the events topic; all tenants of this log live in it. Default: 0. */
  readonly partition?: number
  /** For tests, which share a broker. */
  readonly topics?: { readonly events: string; readonly deadLetters: string }
  /** The wall clock, ms since 1970; it counts only where the topic does not stamp records itself. */
  readonly now?: () => number
}

/** A disconnect waits for answers, which may never come. */
const LEAVE_MS = 3000

/**
 * The event log in one partition of Kafka, with the state in a file of this machine. Kafka counts from 0, the port
 * from 1. Log time is the broker's, and where a broker's clock goes back it stands still for whoever reads on; the
 * governor takes the greatest in any case.
 */
export class KafkaEventLog implements EventLog {
  readonly #options: KafkaLogOptions
  readonly #topic: string
  readonly #admin: Admin
  readonly #events: RecordWriter
  readonly #deadLetters: RecordWriter
  readonly #state: StateFile
  readonly #readers = new Set<PartitionReader>()
  #firstOffset = 1
  #headOffset = 0
  #closed = false

  private constructor(options: KafkaLogOptions, admin: Admin, state: StateFile) {
    const { kafka, partition = 0, topics, now } = options
    this.#options = options
    this.#topic = topics?.events ?? EVENTS_TOPIC
    this.#admin = admin
    this.#state = state
    const clock = now ? { now } : {}
    this.#events = new RecordWriter({ kafka, topic: this.#topic, partition, ...clock })
    const deadLetters = topics?.deadLetters ?? DEAD_LETTERS_TOPIC
    this.#deadLetters = new RecordWriter({ kafka, topic: deadLetters, partition: 0 })
  }

  /**
   * Opens the log and asks where it begins and ends.
   * @throws TokenfuseError `log_unavailable`, `log_mismatch`, or `log_corrupt` where the log ends before the state
   */
  static async open(options: KafkaLogOptions): Promise<KafkaEventLog> {
    const admin = options.kafka.admin()
    let state: StateFile | null = null
    try {
      await admin.connect()
      const { clusterId } = await admin.describeCluster()
      const topic = options.topics?.events ?? EVENTS_TOPIC
      const name = `kafka:${clusterId}/${topic}/${options.partition ?? 0}`
      state = new StateFile(options.stateFile, name)
      const log = new KafkaEventLog(options, admin, state)
      await log.#readOffsets()
      state.forgetRefusals(log.#firstOffset)
      if (state.offset > log.#headOffset) throw endsBefore(name, log.#headOffset, state.offset)
      return log
    } catch (error) {
      state?.close()
      await within(LEAVE_MS, admin.disconnect())
      throw fromKafkaError(error, 'the event log was not opened')
    }
  }

  async append(events: readonly LogEvent[]): Promise<readonly LogEntry[]> {
    if (events.length === 0) return []
    const records = events.map((event) => ({ key: event.tenant, value: encodeEvent(event) }))
    const { offset, timeMs } = await this.#events.write(records)
    this.#sawEnd(offset + events.length)
    const entries = events.map((event, index) => {
      return { offset: offset + index + 1, logTimeMs: timeMs, event }
    })
    this.#state.noteRefusals(entries)
    return entries
  }

  async keepDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    const fresh = this.#state.newLetters(letters)
    if (fresh.length === 0) return
    // One record a batch: each of them may be large.
    await Promise.all(fresh.map((letter) => this.#deadLetters.write([deadLetterRecord(letter)])))
    this.#state.noteLetters(fresh, Math.floor((this.#options.now ?? Date.now)()))
  }

  async *follow(fromOffset: number): AsyncGenerator<readonly LogEntry[]> {
    if (this.#closed) return
    if (fromOffset < this.#firstOffset) throw deleted(this.#topic, fromOffset, this.#firstOffset)
    const reader = new PartitionReader({
      kafka: this.#options.kafka,
      topic: this.#topic,
      partition: this.#options.partition ?? 0,
      fromOffset: fromOffset - 1,
      mayHaveGaps: false,
      onEnd: (endOffset) => this.#sawEnd(endOffset),
    })
    this.#readers.add(reader)
    let logTimeMs = 0
    try {
      for await (const records of reader.read()) {
        const entries = records.map((record): LogEntry => {
          logTimeMs = Math.max(logTimeMs, record.timeMs)
          return { offset: record.offset + 1, logTimeMs, event: eventOf(record) }
        })
        this.#state.noteRefusals(entries)
        yield entries
      }
    } finally {
      this.#readers.delete(reader)
    }
  }

  async entry(offset: number): Promise<LogEntry | null> {
    await this.#readOffsets()
    if (offset < this.#firstOffset || offset > this.#headOffset) return null
    for await (const entries of this.follow(offset)) return entries[0] ?? null
    return null
  }

  async refusedCall(verdictId: string): Promise<LogEntry<UsageEvent> | null> {
    const offset = this.#state.refusalOffset(verdictId)
    const entry = offset === null ? null : await this.entry(offset)
    return entry?.event.type === 'usage' ? { ...entry, event: entry.event } : null
  }

  async loadState(): Promise<StoredState | null> {
    return this.#state.load()
  }

  async saveState(offset: number, changes: readonly StateChange[]): Promise<void> {
    this.#state.save(offset, changes)
  }

  /** Kafka deletes by the settings of the topic. */
  retentionDue(): boolean {
    return false
  }

  async retain(): Promise<number> {
    return 0
  }

  stats(): LogStats {
    const { kept, dropped } = this.#state.letters
    return {
      headOffset: this.#headOffset,
      firstOffset: this.#firstOffset,
      bytes: null,
      deadLetters: kept,
      deadLettersDropped: dropped,
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all([this.#events.close(), this.#deadLetters.close()])
    for (const reader of this.#readers) reader.end()
    await within(LEAVE_MS, this.#admin.disconnect())
    this.#state.close()
  }

  #sawEnd(endOffset: number): void {
    this.#headOffset = Math.max(this.#headOffset, endOffset)
  }

  async #readOffsets(): Promise<void> {
    const partition = this.#options.partition ?? 0
    const offsets = await this.#admin.fetchTopicOffsets(this.#topic)
    const found = offsets.find((place) => place.partition === partition)
    if (found === undefined) {
      throw new TokenfuseError('kafka_topics', `${this.#topic} has no partition ${partition}`)
    }
    this.#firstOffset = Number(found.low) + 1
    this.#sawEnd(Number(found.high))
  }
}

function eventOf({ offset, value }: ReadRecord): LogEvent {
  return decodeEvent(value?.toString('utf8') ?? '', offset + 1)
}

function endsBefore(name: string, headOffset: number, stateOffset: number): TokenfuseError {
  const message = `${name} ends at ${headOffset}, before the stored state of ${stateOffset}`
  return new TokenfuseError('log_corrupt', message, {
    fix: 'Kafka has lost records, or its topic was made anew. Restore the topic, or begin with a new data folder.',
  })
}

function deleted(topic: string, wanted: number, first: number): TokenfuseError {
  return new TokenfuseError('log_corrupt', `${topic} begins at ${first}; ${wanted} is deleted`, {
    fix: 'Copy the data folder of a processor that has read it.',
  })
}
