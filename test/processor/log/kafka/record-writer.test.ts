import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { RecordWriter } from '../../../../processor/src/log/kafka/record-writer.ts'
import { MAX_BATCH_BYTES } from '../../../../processor/src/log/kafka/topics.ts'
import { brokerAway, fakeProducers } from './fake-kafka.ts'

const record = (value: string) => ({ key: 'k', value })

function newWriter() {
  const fake = fakeProducers()
  const writer = new RecordWriter({ kafka: fake.kafka, topic: 'events', partition: 2 })
  return { ...fake, writer }
}

/** Lets a producer connect and send. */
async function settle(): Promise<void> {
  for (let count = 0; count < 5; count++) await turn()
}

test('a send goes to one partition, and the next waits for its answer', async () => {
  const { writer, sends } = newWriter()
  const first = writer.write([record('a'), record('b')])
  const second = writer.write([record('c')])
  await settle()
  const third = writer.write([record('d')])
  await settle()
  assert.equal(sends.length, 1)
  sends[0]?.accept(10)
  // What came in one turn shares a send; each hears where its own records stand.
  assert.deepEqual([(await first).offset, (await second).offset], [10, 12])
  await settle()
  sends[1]?.accept(13)
  assert.deepEqual(await third, { offset: 13, timeMs: 1_700_000_000_000 })
  const partitions = sends.flatMap(({ messages }) => messages.map(({ partition }) => partition))
  assert.deepEqual(partitions, [2, 2, 2, 2])
  assert.ok(sends.every(({ acks }) => acks === -1))
})

test('a send that fails is told to those who wait for it, and the next has a producer of its own', async () => {
  const { writer, sends, state } = newWriter()
  const failed = writer.write([record('a')])
  await settle()
  sends[0]?.reject(brokerAway())
  await assert.rejects(failed, { code: 'log_unavailable', retryable: true })
  const written = writer.write([record('b')])
  await settle()
  sends[1]?.accept(3)
  assert.equal((await written).offset, 3)
  assert.deepEqual(state, { producers: 2, disconnected: 1 })
})

test('what waits is bounded, and what is too large for one batch is refused at once', async () => {
  const { writer } = newWriter()
  const half = record('x'.repeat(MAX_BATCH_BYTES / 2))
  await assert.rejects(writer.write([half, half]), { code: 'bad_request' })
  const waiting = Array.from({ length: 7 }, () => writer.write([half]))
  for (const write of waiting) write.catch(() => {})
  // 7 of 8 MiB and a little each leave no room for one more in 64 MiB
  await assert.rejects(writer.write([half]), { code: 'overloaded', retryable: true })
})
