import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import kafkajs from 'kafkajs'
import { initKafka } from '../../processor/src/log/kafka/init-topics.ts'
import { EVENTS_TOPIC } from '../../processor/src/log/kafka/topics.ts'
import { type Kafka, startKafka } from '../../scripts/stack/kafka.ts'
import { makeTemporaryFolder } from '../support/processes.ts'
import { tokenfuse } from '../support/tokenfuse-command.ts'
import { clientFor, requireTools, withAdmin } from '../support/stack.ts'

requireTools(['java', 'mvn'])
const folder = makeTemporaryFolder()
let kafka: Kafka

before(async () => {
  kafka = await startKafka({ folder: folder.path })
})
after(async () => {
  await kafka?.stop()
  folder.remove()
})

const settings = () => ({ brokers: [kafka.bootstrap], tls: null, sasl: null })

test('topics are made once, and are left alone after that', async () => {
  const made = await initKafka(settings(), { eventPartitions: 2 })
  assert.deepEqual(
    made.map(({ name, partitions, change }) => [name, partitions, change]),
    [
      ['otlp_spans', 4, 'created'],
      ['tokenfuse.events', 2, 'created'],
      ['tokenfuse.prices', 1, 'created'],
      ['tokenfuse.decisions', 1, 'created'],
      ['tokenfuse.dead-letters', 1, 'created'],
    ],
  )
  const again = await initKafka(settings())
  assert.ok(again.every(({ change }) => change === 'unchanged'))
  assert.equal(again.find(({ name }) => name === EVENTS_TOPIC)?.partitions, 2)
})

test('the command tells what it made and found, for people and for programs', async () => {
  const args = ['kafka', 'init', '--brokers', kafka.bootstrap]
  const { code, stdout, stderr } = await tokenfuse(args)
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(
    stdout,
    /^otlp_spans +4 partitions +unchanged\ntokenfuse\.events +2 partitions +unchanged\n/,
  )
  const more = await tokenfuse([...args, '--event-partitions', '5', '--json'])
  assert.equal(more.code, 1)
  assert.match(more.stdout + more.stderr, /"kafka_topics"/)
})

test('the number of partitions of the event log is never changed', async () => {
  await assert.rejects(initKafka(settings(), { eventPartitions: 3 }), {
    code: 'kafka_topics',
    message: /tokenfuse\.events has 2 partitions and not 3/,
  })
})

test('spans may get more partitions and not fewer', async () => {
  const [spans] = await initKafka(settings(), { spanPartitions: 6 })
  assert.deepEqual(spans, { name: 'otlp_spans', partitions: 6, change: 'grown' })
  await assert.rejects(initKafka(settings(), { spanPartitions: 2 }), { code: 'kafka_topics' })
})

test('a topic whose records carry the time of their writers is no log', async () => {
  await withAdmin(clientFor(kafka.bootstrap), (admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: kafkajs.ConfigResourceTypes.TOPIC,
          name: EVENTS_TOPIC,
          configEntries: [{ name: 'message.timestamp.type', value: 'CreateTime' }],
        },
      ],
    }),
  )
  await assert.rejects(initKafka(settings()), {
    code: 'kafka_topics',
    message: /message\.timestamp\.type=CreateTime, not LogAppendTime/,
  })
})
