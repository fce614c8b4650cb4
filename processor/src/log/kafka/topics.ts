export const SPANS_TOPIC = 'otlp_spans'
export const EVENTS_TOPIC = 'tokenfuse.events'
export const PRICES_TOPIC = 'tokenfuse.prices'
export const DECISIONS_TOPIC = 'tokenfuse.decisions'
export const DEAD_LETTERS_TOPIC = 'tokenfuse.dead-letters'

/** What one record batch of ours may have; the calls of a large request stay together. */
export const MAX_BATCH_BYTES = 16 * 1024 ** 2

const DAY_MS = 86_400_000

/** One topic as it has to be. */
export type TopicSpec = {
  readonly name: string
  readonly partitions: number
  /** Whether a topic that is there must have so many; otherwise it may have any number. */
  readonly isNumberFixed: boolean
  /** Settings that the topic is given when it is made. */
  readonly config: Readonly<Record<string, string>>
  /** Of these, what must hold also for a topic that was made by another. */
  readonly required: readonly string[]
  /** Whether more partitions may be added later: only where no order is lost by it. */
  readonly mayGrow: boolean
}

export type TopicOptions = {
  /** Partitions of the spans, over which meters share their work. */
  readonly spanPartitions: number
  /** Partitions of the event log, fixed for its life: a tenant lives in one of them. */
  readonly eventPartitions: number
  readonly replication: number
  readonly retentionDays: number
}

export const DEFAULT_TOPIC_OPTIONS: TopicOptions = {
  spanPartitions: 4,
  eventPartitions: 1,
  replication: 1,
  retentionDays: 30,
}

/** @param wanted what is not named is as in `DEFAULT_TOPIC_OPTIONS` where a topic is made */
export function topicSpecs(wanted: Partial<TopicOptions>): TopicSpec[] {
  const options = { ...DEFAULT_TOPIC_OPTIONS, ...wanted }
  const retention = { 'retention.ms': String(options.retentionDays * DAY_MS) }
  const shared = { 'min.insync.replicas': options.replication >= 3 ? '2' : '1' }
  const large = { 'max.message.bytes': String(MAX_BATCH_BYTES) }
  const appendTime = { 'message.timestamp.type': 'LogAppendTime' }
  const compacted = { 'cleanup.policy': 'compact', ...appendTime }
  const kept = { 'cleanup.policy': 'delete', ...retention }
  return [
    {
      name: SPANS_TOPIC,
      partitions: options.spanPartitions,
      isNumberFixed: wanted.spanPartitions !== undefined,
      // Brokers then compress anew what comes in a codec that consumers cannot read.
      config: { ...shared, ...kept, 'compression.type': 'gzip' },
      required: ['cleanup.policy'],
      mayGrow: true,
    },
    {
      name: EVENTS_TOPIC,
      partitions: options.eventPartitions,
      isNumberFixed: wanted.eventPartitions !== undefined,
      config: { ...shared, ...kept, ...appendTime, ...large },
      required: ['cleanup.policy', 'message.timestamp.type', 'max.message.bytes'],
      mayGrow: false,
    },
    ...[PRICES_TOPIC, DECISIONS_TOPIC].map((name) => ({
      name,
      partitions: 1,
      isNumberFixed: true,
      config: { ...shared, ...compacted },
      required: ['cleanup.policy'],
      mayGrow: false,
    })),
    {
      name: DEAD_LETTERS_TOPIC,
      partitions: 1,
      isNumberFixed: true,
      config: { ...shared, ...kept, ...large },
      required: ['max.message.bytes'],
      mayGrow: false,
    },
  ]
}
