import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { createTelemetry } from '../../../instrumentation/src/telemetry/index.ts'
import type { CallRecord, Telemetry } from '../../../instrumentation/src/telemetry/index.ts'
import { aCall, attribution, spanId } from './support/call.ts'
import { acknowledgedIds, startReceiver } from './support/receiver.ts'
import type { Reply } from './support/receiver.ts'
import { spooledIds, spoolFiles, temporaryFolder } from './support/spool.ts'

function startTelemetry(t: TestContext, url: string, more: Record<string, string> = {}) {
  // Hooks run in this order: the folder goes last, since a flush would make it again.
  t.after(() => telemetry.flushOnExit())
  const spool = temporaryFolder(t)
  const environment = { TOKENFUSE_URL: url, TOKENFUSE_SPOOL_DIR: spool, ...more }
  const telemetry = createTelemetry({ environment, workingDirectory: spool })
  return { telemetry, spool }
}

function record(telemetry: Telemetry, from: number, to: number): void {
  for (let n = from; n < to; n++) telemetry.record(aCall(n))
}

const ids = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => spanId(from + n))

/** Waits for what the process does after an answer has come; there is no event for it. */
async function until(holds: () => boolean): Promise<void> {
  for (let n = 0; n < 500 && !holds(); n++) await sleep(10)
  assert.ok(holds())
}

test('a receiver that goes away and comes back gets every span, and then nothing is left on disk', async (t) => {
  const receiver = await startReceiver(t)
  const { telemetry, spool } = startTelemetry(t, receiver.url)
  record(telemetry, 0, 100)
  await receiver.until((r) => acknowledgedIds(r).length === 100)
  await receiver.stop()
  record(telemetry, 100, 1500)
  const kept = new Set(spooledIds(spool))
  assert.ok(ids(100, 1500).every((id) => kept.has(id)))
  await receiver.restart()
  await receiver.until((r) => acknowledgedIds(r).length === 1500)
  assert.deepEqual(acknowledgedIds(receiver), ids(0, 1500))
  await until(() => telemetry.stats().acknowledged === 1500)
  const { buffered, spooled, dropped } = telemetry.stats()
  assert.deepEqual({ buffered, spooled, dropped }, { buffered: 0, spooled: 0, dropped: 0 })
  assert.deepEqual(spooledIds(spool), [])
  telemetry.flushOnExit()
  assert.deepEqual(spoolFiles(spool), [])
})

test('whatever a receiver does, every span arrives at least once and none is given up', async (t) => {
  const moods: (() => Reply | Promise<Reply>)[] = [
    () => ({ status: 500, body: '<html>' }),
    () => ({ status: 429, headers: { 'retry-after': '0' } }),
    () => ({ status: 503, headers: { 'retry-after': 'never' } }),
    () => ({ status: 408, headers: { connection: 'close' } }),
    async () => {
      await receiver.stop()
      await receiver.restart()
      return { status: 200 }
    },
  ]
  // Good in between, so that the test does not wait for the longest backoff.
  const receiver = await startReceiver(t, (_, count) => {
    const mood = count % 2 === 0 ? undefined : moods[(count - 1) / 2]
    return mood ? mood() : { status: 200 }
  })
  const { telemetry } = startTelemetry(t, receiver.url)
  for (let n = 0; n < 40; n++) {
    record(telemetry, n * 10, n * 10 + 10)
    await receiver.until((r) => r.attempts.length >= Math.min(n / 4, moods.length * 2))
  }
  await receiver.until((r) => acknowledgedIds(r).length === 400)
  await until(() => telemetry.stats().buffered === 0)
  assert.equal(telemetry.stats().dropped, 0)
  assert.equal(telemetry.stats().acknowledged, 400)
})

test('spans go where OpenTelemetry is told to send, with its headers, when it is told', async (t) => {
  const [processor, collector] = [await startReceiver(t), await startReceiver(t)]
  const { telemetry } = startTelemetry(t, processor.url, {
    TOKENFUSE_TOKEN: 'ours',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20theirs',
  })
  record(telemetry, 0, 1)
  await collector.until((r) => r.requests.length === 1)
  assert.equal(collector.requests[0]?.path, '/v1/traces')
  assert.equal(collector.requests[0]?.headers.authorization, 'Bearer theirs')
  assert.equal(processor.attempts.length, 0)
})

test('recording never throws: not on nonsense, not without an address, not after the end', async (t) => {
  const { telemetry, spool } = startTelemetry(t, 'not an address')
  assert.match(telemetry.stats().problem ?? '', /TOKENFUSE_URL/)
  record(telemetry, 0, 3)
  for (const nonsense of [null, {}, { ...aCall(1), startTimeMs: Number.NaN }]) {
    telemetry.record(nonsense as unknown as CallRecord)
  }
  assert.equal(telemetry.stats().dropped, 3)
  telemetry.flushOnExit()
  record(telemetry, 3, 4)
  assert.equal(telemetry.stats().dropped, 7)
  assert.deepEqual(spoolFiles(spool), [])
})

test('a call that ends while the process does is kept as well', async (t) => {
  const receiver = await startReceiver(t)
  await receiver.stop()
  const { telemetry, spool } = startTelemetry(t, receiver.url)
  record(telemetry, 0, 2)
  telemetry.flushOnExit()
  record(telemetry, 2, 3)
  telemetry.flushOnExit()
  assert.deepEqual(spooledIds(spool).toSorted(), ids(0, 3))
})

test('no content can leave: a span holds nothing but what its record names', async (t) => {
  const receiver = await startReceiver(t)
  const { telemetry } = startTelemetry(t, receiver.url)
  const smuggled = { ...aCall(1), prompt: 'TOP SECRET', body: { messages: ['TOP SECRET'] } }
  const who = { ...attribution, apiKey: 'TOP SECRET' }
  telemetry.record({ ...smuggled, attribution: who } as CallRecord)
  await receiver.until((r) => r.requests.length === 1)
  assert.equal(receiver.requests[0]?.text.includes('TOP SECRET'), false)
})
