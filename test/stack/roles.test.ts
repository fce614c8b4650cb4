import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { initKafka } from '../../processor/src/log/kafka/init-topics.ts'
import { SPANS_TOPIC } from '../../processor/src/log/kafka/topics.ts'
import { type Kafka, startKafka } from '../../scripts/stack/kafka.ts'
import { freePorts } from '../../scripts/stack/ports.ts'
import { otlpRequest, toProtobuf } from '../processor/meter/otlp.ts'
import {
  makeTemporaryFolder,
  type ProcessorProcess,
  startProcessorProcess,
} from '../support/processes.ts'
import { callSpan } from '../support/spans.ts'
import { clientFor, requireTools } from '../support/stack.ts'
import { MeterProcess } from './support/meter-process.ts'
import { until } from './support/until.ts'

requireTools(['java', 'mvn'])
const folder = makeTemporaryFolder()
const meters: MeterProcess[] = []
const [broker = 0, controller = 0] = await freePorts(2)
const brokers = `127.0.0.1:${broker}`
let kafka: Kafka
let governor: ProcessorProcess

after(async () => {
  await Promise.all(meters.map((meter) => meter.kill()))
  await governor?.stop()
  await kafka?.stop()
  folder.remove()
})

function startMeter(): MeterProcess {
  const meter = new MeterProcess(brokers)
  meters.push(meter)
  return meter
}

/** Requests of five calls each, over the partitions of the spans. */
async function writeCalls(requests: number): Promise<void> {
  const producer = clientFor(brokers).producer()
  await producer.connect()
  for (let index = 0; index < requests; index++) {
    const spans = Array.from({ length: 5 }, () => callSpan())
    const value = Buffer.from(toProtobuf(otlpRequest(spans)))
    await producer.send({ topic: SPANS_TOPIC, messages: [{ partition: index % 4, value }] })
  }
  await producer.disconnect()
}

const calls = async () => (await governor.usage(['agent'])).total.calls

test('a meter waits for Kafka, for topics and for prices, and says for which', async () => {
  const meter = startMeter()
  await meter.says(/^waiting for Kafka at 127\.0\.0\.1:\d+: /m)
  kafka = await startKafka({ folder: join(folder.path, 'kafka'), ports: { broker, controller } })
  await meter.says(/there is no topic otlp_spans, .*tokenfuse kafka init/)
  await initKafka({ brokers: [brokers], tls: null, sasl: null })
  await meter.says(/^waiting for prices: a governor publishes them/m)
  governor = await startProcessorProcess(join(folder.path, 'data'), {
    kafka: brokers,
    roles: 'governor',
  })
  await meter.ready()
})

test('a governor alone counts what meters elsewhere add, once, while they come, go and are killed', async () => {
  const [first] = meters
  const second = startMeter()
  await second.ready()
  await writeCalls(20)
  await first?.kill()
  const third = startMeter()
  await writeCalls(20)
  await third.ready()
  // What it has begun it ends; the others take over from there.
  assert.equal(await second.end(), 0)
  await writeCalls(20)
  await until(async () => (await calls()) >= 300, 'all calls are counted')
  assert.equal(await calls(), 300)
  assert.equal((await governor.status()).deadLetters, 0)
})
