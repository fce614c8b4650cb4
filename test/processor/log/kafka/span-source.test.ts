import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenfuseError } from '@tokenfuse/protocol'
import { KafkaSpanSource } from '../../../../processor/src/log/kafka/span-source.ts'
import { brokerAway, fakeConsumer } from './fake-kafka.ts'

test('a record is acknowledged when its handler has ended, and one that may be tried again is not', async () => {
  const fake = fakeConsumer('otlp_spans')
  const source = new KafkaSpanSource(fake.kafka)
  const handled: string[] = []
  let isLogAway = true
  await source.run(async ({ source: place }) => {
    if (place.endsWith('@8') && isLogAway) {
      throw new TokenfuseError('log_unavailable', 'away', { retryable: true })
    }
    handled.push(place)
  })
  await assert.rejects(fake.deliver(3, [7, 8, 9]), { code: 'log_unavailable' })
  assert.deepEqual(handled, ['kafka:otlp_spans/3@7'])
  isLogAway = false
  assert.deepEqual(await fake.deliver(3, [8, 9]), ['8', '9'])
  await source.close()
  await source.ended
})

test('whoever lost a partition to another takes nothing more of it', async () => {
  const fake = fakeConsumer('otlp_spans')
  const source = new KafkaSpanSource(fake.kafka)
  let isStale = false
  await source.run(async () => void (isStale = true))
  const resolved = await fake.deliver(0, [1, 2, 3], { isStale: () => isStale })
  assert.deepEqual(resolved, ['1'])
  await source.close()
  assert.deepEqual(await fake.deliver(0, [4]), [])
})

test('a fault that another try does not mend ends it, so that nothing is passed over', async () => {
  const fake = fakeConsumer('otlp_spans')
  const source = new KafkaSpanSource(fake.kafka)
  await source.run(async () => {
    throw new TypeError('a fault of ours')
  })
  await assert.rejects(fake.deliver(0, [1]), TypeError)
  await assert.rejects(source.ended, TypeError)

  const crashed = fakeConsumer('otlp_spans')
  const other = new KafkaSpanSource(crashed.kafka)
  await other.run(async () => {})
  crashed.emit('crash', { error: brokerAway(), restart: true })
  crashed.emit('crash', { error: new RangeError('no such codec'), restart: false })
  await assert.rejects(other.ended, RangeError)
})

test('it has its share from when it joins until the group is shared out anew', async () => {
  const fake = fakeConsumer('otlp_spans')
  const source = new KafkaSpanSource(fake.kafka)
  await source.run(async () => {})
  assert.equal(source.isJoined, false)
  fake.join([0])
  assert.equal(source.isJoined, true)
  fake.emit('rebalancing')
  assert.equal(source.isJoined, false)
})
