import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, test } from 'node:test'
import type { Admin, Kafka } from 'kafkajs'
import { createKafka } from '../../processor/src/log/kafka/client.ts'
import { createTopic } from '../../processor/src/log/kafka/init-topics.ts'
import { startKafka } from '../../scripts/stack/kafka.ts'
import { missingTools, type ToolName } from '../../scripts/stack/tools.ts'

/** `npm run test:stack` names its broker here, so that the test files share one. */
const ENV_SHARED_KAFKA = 'TOKENFUSE_TEST_KAFKA'

/**
 * Ends a test file whose stack cannot be run here: skipped, with what to install, or failed where `CI` is set.
 */
export function requireTools(names: readonly ToolName[] = ['java', 'mvn', 'go']): void {
  const missing = missingTools(names)
  if (missing.length === 0) return
  const reason = `the stack needs ${missing.join(', and ')}`
  if (process.env['CI']) throw new Error(reason)
  test('all tests of this file', { skip: reason })
  before(() => process.exit(0))
}

let own: Promise<string> | null = null

/** The brokers of a Kafka for all tests of this process. */
export function testBrokers(): Promise<string> {
  const shared = process.env[ENV_SHARED_KAFKA]
  if (shared !== undefined) return Promise.resolve(shared)
  own ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokenfuse-kafka-'))
    const kafka = await startKafka({ folder })
    process.once('exit', () => {
      process.kill(kafka.pid, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    })
    return kafka.bootstrap
  })()
  return own
}

export async function testKafka(): Promise<Kafka> {
  return clientFor(await testBrokers())
}

export function clientFor(bootstrap: string): Kafka {
  return createKafka({ brokers: [bootstrap], tls: null, sasl: null }, () => {})
}

/** Runs `work` with a connection for administration. */
export async function withAdmin<Result>(
  kafka: Kafka,
  work: (admin: Admin) => Promise<Result>,
): Promise<Result> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.disconnect()
  }
}

/** Makes a topic and waits until its leaders answer. */
export async function makeTopic(
  kafka: Kafka,
  topic: string,
  { partitions = 1, config = {} }: { partitions?: number; config?: Record<string, string> } = {},
): Promise<void> {
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  await withAdmin(kafka, async (admin) => {
    await createTopic(admin, { topic, numPartitions: partitions, configEntries })
  })
}
