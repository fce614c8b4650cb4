import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import type { UsageEvent } from '@tokenfuse/protocol'
import { createKafka } from '../../processor/src/log/kafka/client.ts'
import { KafkaEventLog } from '../../processor/src/log/kafka/event-log.ts'
import { partitionOf } from '../../processor/src/log/kafka/partition-of.ts'
import { METER_GROUP } from '../../processor/src/log/kafka/span-source.ts'
import { EVENTS_TOPIC, SPANS_TOPIC } from '../../processor/src/log/kafka/topics.ts'
import { readUsageEvents, usageEventsOf } from './event-log.ts'
import { type ProcessorProcess, startProcessorProcess } from './processes.ts'
import { RunningStack } from './running-stack.ts'

/** What carries spans from agents to a processor, and the log of that processor. */
export interface Deployment {
  startProcessor(
    dataDirectory: string,
    options: { readonly port?: number; readonly policyFile?: string },
  ): Promise<ProcessorProcess>
  /** What an agent's environment has to say besides the processor's address. */
  spanEnvironment(): Record<string, string>
  /** Where spans are sent. */
  spanTarget(processor: ProcessorProcess): { readonly url: string; readonly token: string }
  /** Waits until every span that was acknowledged is counted. */
  settled(processor: ProcessorProcess): Promise<void>
  /** Every usage event of a processor that has been stopped, each span's once. */
  usageEvents(dataDirectory: string): Promise<UsageEvent[]>
  /** Kills every part besides the processor with -9, one after another, and starts it again. */
  crash(tell: (line: string) => void): Promise<void>
  stop(): Promise<void>
}

/** @param folder where a Kafka and a Collector keep what they have, where they are wanted */
export async function startDeployment(withKafka: boolean, folder: string): Promise<Deployment> {
  return withKafka ? deploymentOf(await RunningStack.start(folder)) : EMBEDDED
}

/** Kills each part with -9, the processor last, and starts it again. */
export async function crashAll(
  deployment: Deployment,
  processor: ProcessorProcess,
  policyFile: string | undefined,
  tell: (line: string) => void,
): Promise<ProcessorProcess> {
  await deployment.crash(tell)
  const { dataDirectory, port } = processor
  await processor.stop('SIGKILL')
  const policy = policyFile === undefined ? {} : { policyFile }
  const next = await deployment.startProcessor(dataDirectory, { port, ...policy })
  tell('the processor was killed with -9 and runs again on the same data')
  return next
}

/** Spans go to the processor itself, which acknowledges what it has in its log and counts it before it answers. */
const EMBEDDED: Deployment = {
  startProcessor: startProcessorProcess,
  spanEnvironment: () => ({}),
  spanTarget: (processor) => processor,
  settled: async () => {},
  usageEvents: readUsageEvents,
  crash: async () => {},
  stop: async () => {},
}

/** Spans go through the Collector and Kafka. */
export function deploymentOf(stack: RunningStack): Deployment {
  return {
    startProcessor: (dataDirectory, options) =>
      startProcessorProcess(dataDirectory, { ...options, kafka: stack.brokers }),
    spanEnvironment: () => collectorEnvironment(stack.collector),
    spanTarget: () => stack.collector,
    settled: (processor) => settled(stack, processor),
    usageEvents: async (dataDirectory) => {
      const kafka = clientOf(stack)
      const stateFile = join(dataDirectory, 'state-of-reader.db')
      return usageEventsOf(await KafkaEventLog.open({ kafka, stateFile }))
    },
    crash: async (tell) => {
      await stack.crashCollector()
      tell('the Collector was killed with -9 and runs again on the same queue')
      await stack.crashKafka()
      tell('Kafka was killed with -9 and runs again on the same data')
    },
    stop: () => stack.stop(),
  }
}

/** How an agent is told to send its spans to the Collector. */
export function collectorEnvironment({
  url,
  token,
}: {
  readonly url: string
  readonly token: string
}): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(`Bearer ${token}`)}`,
  }
}

const POLL_MS = 250
/** So long must nothing move: many times what the Collector waits for a batch to fill. */
const QUIET_MS = 2000
const SETTLED_WITHIN_MS = 120_000

async function settled(stack: RunningStack, processor: ProcessorProcess): Promise<void> {
  const admin = clientOf(stack).admin()
  await admin.connect()
  try {
    const giveUpMs = Date.now() + SETTLED_WITHIN_MS
    let quietSinceMs = Date.now()
    let before = ''
    while (Date.now() - quietSinceMs < QUIET_MS) {
      if (Date.now() > giveUpMs) throw new Error(`spans are still on their way: ${before}`)
      await wait(POLL_MS)
      const spans = await admin.fetchTopicOffsets(SPANS_TOPIC)
      const [committed] = await admin.fetchOffsets({ groupId: METER_GROUP, topics: [SPANS_TOPIC] })
      const events = await admin.fetchTopicOffsets(EVENTS_TOPIC)
      const log = events.find(
        ({ partition }) => partition === partitionOf('default', events.length),
      )
      const { offset } = await processor.status()
      const isRead = spans.every(({ partition, high }) => {
        const done = committed?.partitions.find((place) => place.partition === partition)?.offset
        return Number(high) === 0 || done === high
      })
      const isApplied = Number(log?.high) === offset
      const now = JSON.stringify([spans, offset, isRead, isApplied, await queued(stack)])
      if (!isRead || !isApplied || now !== before) quietSinceMs = Date.now()
      before = now
    }
  } finally {
    await admin.disconnect()
  }
}

/** What the Collector holds that Kafka has not taken. */
async function queued(stack: RunningStack): Promise<string> {
  const text = await (await fetch(stack.collector.selfMetricsUrl)).text()
  return /^otelcol_exporter_queue_size.* (\S+)$/m.exec(text)?.[1] ?? '0'
}

function clientOf(stack: RunningStack) {
  return createKafka({ brokers: [stack.brokers], tls: null, sasl: null }, () => {})
}
