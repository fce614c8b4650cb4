export { readEndpoint } from './data-directory.ts'
export type { Endpoint } from './data-directory.ts'
export { initKafka } from './log/kafka/init-topics.ts'
export type { TopicReport } from './log/kafka/init-topics.ts'
export { readKafkaSettings } from './log/kafka/settings.ts'
export type { KafkaSettings } from './log/kafka/settings.ts'
export type { TopicOptions } from './log/kafka/topics.ts'
export type {
  MeterProcessOptions,
  ProcessorOptions,
  RunningMeter,
  RunningProcessor,
} from './options.ts'
export { readWebhookUrl } from './notify/webhook-url.ts'
export { readRoles } from './roles.ts'
export { startMeter } from './start-meter.ts'
export { startProcessor } from './start-processor.ts'
