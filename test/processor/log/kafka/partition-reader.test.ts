import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PartitionReader } from '../../../../processor/src/log/kafka/partition-reader.ts'
import { brokerAway, fakeConsumer } from './fake-kafka.ts'

function newReader({ fromOffset = 5, mayHaveGaps = false } = {}) {
  const fake = fakeConsumer('events')
  const options = { kafka: fake.kafka, topic: 'events', partition: 1, fromOffset, mayHaveGaps }
  const reader = new PartitionReader(options)
  const offsets: number[] = []
  const done = (async () => {
    for await (const records of reader.read()) offsets.push(...records.map(({ offset }) => offset))
  })()
  // A failure is looked at where it is expected.
  done.catch(() => {})
  return { ...fake, reader, offsets, done }
}

test('whoever joins a group reads its own partition from its own offset on, each time', async () => {
  const { reader, seeks, paused, done, offsets, ...fake } = newReader()
  await fake.deliver(1, [5, 6])
  fake.join([0, 1, 2])
  assert.deepEqual(seeks, [[1, '7']])
  assert.deepEqual([...paused], [0, 2])
  await fake.deliver(0, [40])
  await fake.deliver(1, [7])
  fake.join([1])
  assert.deepEqual(seeks.at(-1), [1, '8'])
  reader.end()
  await done
  assert.deepEqual(offsets, [5, 6, 7])
  assert.equal(fake.state.isDisconnected, true)
})

test('records that come again after a fail-over are given once', async () => {
  const { reader, offsets, done, ...fake } = newReader()
  await fake.deliver(1, [3, 4, 5, 6])
  await fake.deliver(1, [5, 6, 7])
  await fake.deliver(1, [6, 7])
  await fake.deliver(1, [8])
  reader.end()
  await done
  assert.deepEqual(offsets, [5, 6, 7, 8])
})

test('a gap in a log ends the reading with an error; in a compacted topic it is usual', async () => {
  const log = newReader()
  await log.deliver(1, [5])
  await log.deliver(1, [9])
  await assert.rejects(log.done, { code: 'log_corrupt', message: /nothing from 6 to 8/ })
  assert.deepEqual(log.offsets, [5])

  const compacted = newReader({ mayHaveGaps: true })
  await compacted.deliver(1, [5, 9])
  compacted.reader.end()
  await compacted.done
  assert.deepEqual(compacted.offsets, [5, 9])
})

test('a crash that kafkajs recovers from is waited out; any other ends the reading', async () => {
  const { done, ...fake } = newReader()
  await fake.deliver(1, [5])
  fake.emit('crash', { error: brokerAway(), restart: true })
  await fake.deliver(1, [6])
  fake.emit('crash', { error: new Error('no such codec'), restart: false })
  await assert.rejects(done, /no such codec/)
})

test('a reader that is slower than Kafka stops the fetching until it has caught up', async () => {
  const fake = fakeConsumer('events')
  const options = { kafka: fake.kafka, topic: 'events', partition: 1, mayHaveGaps: false }
  const reading = new PartitionReader({ ...options, fromOffset: 0 }).read()
  const first = reading.next()
  const thousand = (from: number) => Array.from({ length: 1000 }, (_, index) => from + index)
  for (let from = 0; from < 25_000; from += 1000) await fake.deliver(1, thousand(from))
  await first
  assert.deepEqual([...fake.paused], [1])
  for (let batch = 1; batch < 25; batch++) await reading.next()
  assert.deepEqual([...fake.paused], [])
  await reading.return(undefined)
})
