import { join } from 'node:path'
import type { UsageEvent } from '@tokenfuse/protocol'
import { createKafka } from '../../processor/src/log/kafka/client.ts'
import { KafkaEventLog } from '../../processor/src/log/kafka/event-log.ts'
import { collectorEnvironment } from './collector-environment.ts'
import { readUsageEvents, usageEventsOf } from './event-log.ts'
import { type ProcessorProcess, startProcessorProcess } from './processes.ts'
import { RunningStack } from './running-stack.ts'
import { settledIn } from './settled.ts'

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
    settled: (processor) => settledIn(stack, async () => (await processor.status()).offset),
    usageEvents: async (dataDirectory) => {
      const kafka = createKafka({ brokers: [stack.brokers], tls: null, sasl: null }, () => {})
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
