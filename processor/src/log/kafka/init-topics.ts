import { setTimeout as wait } from 'node:timers/promises'
import { TokenfuseError } from '@tokenfuse/protocol'
import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs'
import { createKafka } from './client.ts'
import { fromKafkaError } from './errors.ts'
import type { KafkaSettings } from './settings.ts'
import { DEFAULT_TOPIC_OPTIONS, type TopicOptions, type TopicSpec, topicSpecs } from './topics.ts'

/** Somebody waits for the answer. */
const RETRIES = 5
const LEADERS_WITHIN_MS = 30_000
const LEADERS_POLL_MS = 50

export type TopicReport = {
  readonly name: string
  readonly partitions: number
  readonly change: 'created' | 'grown' | 'unchanged'
}

/** How many topics there are, and what has to be different, one sentence each. */
type Found = { readonly partitions: ReadonlyMap<string, number>; readonly problems: string[] }

/**
 * Makes the topics that are missing and holds the others against what they have to be. Nothing is changed where one
 * of them does not hold.
 * @param wanted what is not named is as in `DEFAULT_TOPIC_OPTIONS` for a topic that is made, and stays as it is for
 *   one that is there
 * @throws TokenfuseError `kafka_topics` with everything that does not hold, `log_unavailable`
 */
export async function initKafka(
  settings: KafkaSettings,
  wanted: Partial<TopicOptions> = {},
  say: (line: string) => void = () => {},
): Promise<TopicReport[]> {
  return withAdmin(settings, say, async (admin) => {
    const { replication } = { ...DEFAULT_TOPIC_OPTIONS, ...wanted }
    const specs = topicSpecs(wanted)
    const { partitions, problems } = await inspect(admin, specs)
    for (const spec of specs) {
      const problem = partitionProblem(spec, partitions.get(spec.name))
      if (problem !== null) problems.push(problem)
    }
    if (problems.length > 0) throw wrongTopics(problems)
    const reports: TopicReport[] = []
    for (const spec of specs) {
      reports.push(await makeTopic(admin, spec, partitions.get(spec.name), replication))
    }
    return reports
  })
}

/**
 * Holds the topics against what they have to be, without changing any.
 * @throws TokenfuseError `kafka_topics` where one is missing or wrong, retryable where some are only missing
 */
export async function checkTopics(admin: Admin): Promise<ReadonlyMap<string, number>> {
  const specs = topicSpecs({})
  const { partitions, problems } = await inspect(admin, specs)
  if (problems.length > 0) throw wrongTopics(problems)
  const missing = specs.filter(({ name }) => !partitions.has(name)).map(({ name }) => name)
  if (missing.length === 0) return partitions
  throw new TokenfuseError('kafka_topics', `there is no topic ${missing.join(', ')}`, {
    fix: 'Make the topics with "tokenfuse kafka init".',
    retryable: true,
  })
}

async function withAdmin<Result>(
  settings: KafkaSettings,
  say: (line: string) => void,
  work: (admin: Admin) => Promise<Result>,
): Promise<Result> {
  const admin = createKafka(settings, say, RETRIES).admin()
  try {
    await admin.connect()
    return await work(admin)
  } catch (error) {
    throw fromKafkaError(error, `Kafka at ${settings.brokers.join(', ')}`)
  } finally {
    await admin.disconnect().catch(() => {})
  }
}

async function inspect(admin: Admin, specs: readonly TopicSpec[]): Promise<Found> {
  const existing = new Set(await admin.listTopics())
  const there = specs.filter(({ name }) => existing.has(name))
  if (there.length === 0) return { partitions: new Map(), problems: [] }
  const { topics } = await admin.fetchTopicMetadata({ topics: there.map(({ name }) => name) })
  const partitions = new Map(topics.map((topic) => [topic.name, topic.partitions.length]))
  const problems: string[] = []
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: there.map(({ name, required }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
      configNames: [...required],
    })),
  })
  for (const { name, required, config } of there) {
    const entries = resources.find(({ resourceName }) => resourceName === name)?.configEntries ?? []
    for (const key of required) {
      const value = entries.find(({ configName }) => configName === key)?.configValue ?? ''
      const wanted = config[key] ?? ''
      if (!holds(key, value, wanted)) problems.push(`${name} has ${key}=${value}, not ${wanted}`)
    }
  }
  return { partitions, problems }
}

/** Sizes may be larger; everything else is as it has to be, or not. */
function holds(key: string, value: string, wanted: string): boolean {
  return key.endsWith('.bytes') ? Number(value) >= Number(wanted) : value === wanted
}

function partitionProblem(spec: TopicSpec, existing: number | undefined): string | null {
  const { name, partitions, isNumberFixed, mayGrow } = spec
  if (existing === undefined || !isNumberFixed || existing === partitions) return null
  if (!mayGrow) {
    return `${name} has ${existing} partitions and not ${partitions}; the number is fixed for its life, since with another one a tenant's events would stand in two partitions, in no order`
  }
  if (existing < partitions) return null
  return `${name} has ${existing} partitions, and Kafka takes none away to leave ${partitions}`
}

async function makeTopic(
  admin: Admin,
  { name, partitions, isNumberFixed, config }: TopicSpec,
  existing: number | undefined,
  replication: number,
): Promise<TopicReport> {
  if (existing === undefined) {
    const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }))
    const topic = { topic: name, numPartitions: partitions, replicationFactor: replication }
    await createTopic(admin, { ...topic, configEntries })
    return { name, partitions, change: 'created' }
  }
  if (isNumberFixed && existing < partitions) {
    await admin.createPartitions({ topicPartitions: [{ topic: name, count: partitions }] })
    return { name, partitions, change: 'grown' }
  }
  return { name, partitions: existing, change: 'unchanged' }
}

/** Makes a topic and waits until each of its partitions has a leader, of which brokers learn one after another. */
export async function createTopic(admin: Admin, topic: ITopicConfig): Promise<void> {
  await admin.createTopics({ topics: [topic], waitForLeaders: false })
  const giveUpMs = Date.now() + LEADERS_WITHIN_MS
  while (!(await hasLeaders(admin, topic.topic))) {
    if (Date.now() > giveUpMs) throw new Error(`${topic.topic} was made and has no leader yet`)
    await wait(LEADERS_POLL_MS)
  }
}

async function hasLeaders(admin: Admin, name: string): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [name] })
    return topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))
  } catch (error) {
    if (error instanceof kafkajs.KafkaJSError && error.retriable) return false
    throw error
  }
}

function wrongTopics(problems: readonly string[]): TokenfuseError {
  return new TokenfuseError('kafka_topics', problems.join('; '), {
    fix: 'Change what is named with Kafka’s own tools, or use another cluster.',
  })
}
