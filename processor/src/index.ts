export { backtestFile } from './backtest/backtest.ts'
export type { BacktestProgress } from './backtest/backtest.ts'
export { fileLines } from './backtest/file-lines.ts'
export type { LineBatch } from './backtest/file-lines.ts'
export type { BacktestPolicy } from './backtest/policy-run.ts'
export type * from './backtest/result.ts'
export { suggestBudgets } from './backtest/suggest.ts'
export type {
  ReadEvents,
  SuggestedBudget,
  Suggestion,
  SuggestOptions,
} from './backtest/suggest.ts'
export type { SuggestedUnit } from './backtest/usage-history.ts'
export { EVENT_LOG_FILE, readEndpoint } from './data-directory.ts'
export type { Endpoint } from './data-directory.ts'
export { exportKafkaEvents } from './log/kafka/export-events.ts'
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
export { exportEvents } from './log/sqlite/export-events.ts'
export { readWebhookUrl } from './notify/webhook-url.ts'
export { checkPolicy } from './policy/check-policy.ts'
export type { PolicyCheck } from './policy/check-policy.ts'
export { readPolicyFile } from './policy/policy-file.ts'
export { readPolicyFiles } from './policy/policy-files.ts'
export type { PolicyFiles } from './policy/policy-files.ts'
export { defaultRules, readRulesFile, RULES_FILE } from './policy/rules-file.ts'
export { readRoles } from './roles.ts'
export { startMeter } from './start-meter.ts'
export { startProcessor } from './start-processor.ts'
