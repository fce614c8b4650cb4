import kafkajs, {
  type ConsumerRunConfig,
  type EachBatchPayload,
  type Kafka,
  type ProducerRecord,
  type RecordMetadata,
} from 'kafkajs'

export type Send = ProducerRecord & {
  /** Answers it: where its first record came to stand. */
  readonly accept: (baseOffset: number) => void
  readonly reject: (error: Error) => void
}

/** A Kafka whose producers do what the test says. */
export function fakeProducers() {
  const sends: Send[] = []
  const state = { producers: 0, disconnected: 0 }
  const producer = () => {
    state.producers++
    return {
      connect: async () => {},
      disconnect: async () => void state.disconnected++,
      send: (record: ProducerRecord) =>
        new Promise<Partial<RecordMetadata>[]>((resolve, reject) => {
          const accept = (baseOffset: number) =>
            resolve([{ baseOffset: String(baseOffset), logAppendTime: '1700000000000' }])
          sends.push({ ...record, accept, reject })
        }),
    }
  }
  return { kafka: { producer } as unknown as Kafka, sends, state }
}

type Listener = (event: { payload: unknown }) => void

/** A Kafka with one consumer, whose group and records are as the test says. */
export function fakeConsumer(topic: string) {
  const listeners = new Map<string, Listener>()
  const seeks: [partition: number, offset: string][] = []
  const paused = new Set<number>()
  const ran = Promise.withResolvers<ConsumerRunConfig>()
  const each = (change: (partition: number) => void) => (places: { partitions?: number[] }[]) =>
    places.flatMap(({ partitions = [] }) => partitions).forEach(change)
  const state = { isDisconnected: false }
  const consumer = {
    events: { GROUP_JOIN: 'join', CRASH: 'crash', REBALANCING: 'rebalancing' },
    on: (name: string, listener: Listener) => listeners.set(name, listener),
    connect: async () => {},
    subscribe: async () => {},
    run: async (config: ConsumerRunConfig) => ran.resolve(config),
    seek: (place: { partition: number; offset: string }) =>
      seeks.push([place.partition, place.offset]),
    pause: each((partition) => paused.add(partition)),
    resume: each((partition) => paused.delete(partition)),
    disconnect: async () => void (state.isDisconnected = true),
  }
  return {
    kafka: { consumer: () => consumer } as unknown as Kafka,
    seeks,
    paused,
    state,
    emit: (name: string, payload: unknown = {}) => listeners.get(name)?.({ payload }),
    join(partitions: readonly number[]) {
      this.emit('join', { memberAssignment: { [topic]: partitions } })
    },
    /** Resolves when the batch was handled; gives the offsets that were resolved. */
    async deliver(
      partition: number,
      offsets: readonly number[],
      more: Partial<EachBatchPayload> = {},
    ): Promise<string[]> {
      const resolved: string[] = []
      const messages = offsets.map((offset) => ({
        offset: String(offset),
        timestamp: '1700000000000',
        key: null,
        value: Buffer.from(`record ${offset}`),
        headers: {},
      }))
      const lastOffset = () => String(offsets.at(-1))
      const highWatermark = String((offsets.at(-1) ?? 0) + 1)
      const { eachBatch } = await ran.promise
      await eachBatch?.({
        batch: { topic, partition, messages, highWatermark, lastOffset },
        resolveOffset: (offset: string) => resolved.push(offset),
        heartbeat: async () => {},
        isRunning: () => true,
        isStale: () => false,
        ...more,
      } as unknown as EachBatchPayload)
      return resolved
    },
  }
}

export const brokerAway = () => new kafkajs.KafkaJSError('the broker is away', { retriable: true })
