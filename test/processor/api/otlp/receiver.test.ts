import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import type { StatusAnswer, UsageAnswer } from '@tokenfuse/protocol'
import protobuf from 'protobufjs'
import { FUZZ_MS } from '../../../support/fuzz.ts'
import { ask, call, type Called, runProcessor } from '../../../support/processor.ts'
import { callSpan, callsRequest } from '../../../support/spans.ts'
import { otlpRequest, toJson, toProtobuf } from '../../meter/otlp.ts'

const PROTOBUF = { 'content-type': 'application/x-protobuf' }
const GZIP = { 'content-encoding': 'gzip' }
const MEGABYTE = 1024 ** 2

const answers = protobuf.parse(`
  syntax = "proto3";
  message ExportTraceServiceResponse { PartialSuccess partial_success = 1; }
  message PartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
  message Status { int32 code = 1; string message = 2; }
`).root

async function readProtobuf(response: Response, type: string) {
  assert.equal(response.headers.get('content-type'), 'application/x-protobuf')
  const message = answers.lookupType(type).decode(new Uint8Array(await response.arrayBuffer()))
  return message.toJSON()
}

async function callsCounted(called: Called): Promise<number> {
  return (await ask<UsageAnswer>(called, '/v1/usage?by=agent')).total.calls
}

function deadLetters(dataDirectory: string) {
  const database = new DatabaseSync(join(dataDirectory, 'events.db'), { readOnly: true })
  const rows = database
    .prepare('SELECT code, content_type AS type, payload FROM dead_letters ORDER BY id')
    .all()
  database.close()
  return rows.map(({ code, type, payload }) => ({
    code,
    type,
    payload: Buffer.from(payload as Uint8Array),
  }))
}

test('a span is counted once, whatever encoding it comes in and however often it comes again', async (t) => {
  const processor = await runProcessor(t)
  const request = callsRequest(3)
  const json = await call(processor, '/v1/traces', toJson(request))
  assert.equal(json.status, 200)
  assert.equal(json.headers.get('content-type'), 'application/json')
  assert.deepEqual(await json.json(), {})
  const binary = await call(processor, '/v1/traces', toProtobuf(request), PROTOBUF)
  assert.equal(binary.status, 200)
  assert.deepEqual(await readProtobuf(binary, 'ExportTraceServiceResponse'), {})
  const zipped = gzipSync(toProtobuf(request))
  assert.equal((await call(processor, '/v1/traces', zipped, { ...PROTOBUF, ...GZIP })).status, 200)
  const { total } = await ask<UsageAnswer>(processor, '/v1/usage?by=agent')
  assert.deepEqual(
    [total.calls, total.inputTokens, total.outputTokens, total.costPicoUsd],
    // three calls of 100 x 0.15 + 10 x 0.60 USD a million
    [3, 300, 30, '63000000'],
  )
})

test('spans that cannot be true are rejected with their number and kept; the others of the request count', async (t) => {
  const processor = await runProcessor(t)
  const bad = callSpan({ 'gen_ai.usage.input_tokens': -5 })
  const request = otlpRequest([callSpan(), bad, callSpan()])
  const json = await call(processor, '/v1/traces', toJson(request))
  assert.equal(json.status, 200)
  const { partialSuccess } = (await json.json()) as {
    partialSuccess: { rejectedSpans: string; errorMessage: string }
  }
  assert.equal(partialSuccess.rejectedSpans, '1')
  assert.match(partialSuccess.errorMessage, /input_tokens is -5/)
  const binary = await call(processor, '/v1/traces', toProtobuf(request), PROTOBUF)
  assert.deepEqual(await readProtobuf(binary, 'ExportTraceServiceResponse'), {
    partialSuccess,
  })
  assert.equal(await callsCounted(processor), 2)
  assert.deepEqual(
    deadLetters(processor.dataDirectory).map(({ code }) => code),
    ['usage_invalid', 'usage_invalid'],
  )
})

test('malformed payloads get a google.rpc.Status in their own encoding and are kept as they came', async (t) => {
  const processor = await runProcessor(t)
  const notJson = Buffer.from('{"resourceSpans": [')
  const json = await call(processor, '/v1/traces', notJson)
  assert.equal(json.status, 400)
  const status = (await json.json()) as { code: number; message: string }
  assert.equal(status.code, 3)
  assert.match(status.message, /^otlp_malformed: /)
  const notProtobuf = Buffer.from([0x0a, 0xff, 0x01])
  const binary = await call(processor, '/v1/traces', notProtobuf, PROTOBUF)
  assert.equal(binary.status, 400)
  assert.equal((await readProtobuf(binary, 'Status'))['code'], 3)
  const notGzip = Buffer.from('no gzip')
  const zipped = await call(processor, '/v1/traces', notGzip, { ...PROTOBUF, ...GZIP })
  assert.equal(zipped.status, 400)
  assert.deepEqual(deadLetters(processor.dataDirectory), [
    { code: 'otlp_malformed', type: 'application/json', payload: notJson },
    { code: 'otlp_malformed', type: 'application/x-protobuf', payload: notProtobuf },
    { code: 'otlp_malformed', type: 'application/gzip', payload: notGzip },
  ])
  assert.equal((await ask<StatusAnswer>(processor, '/v1/status')).deadLetters, 3)
})

test('a payload beyond the bounds is refused before it is held, also when it only grows when unpacked', async (t) => {
  const processor = await runProcessor(t)
  const bomb = gzipSync(Buffer.alloc(65 * MEGABYTE))
  assert.ok(bomb.length < MEGABYTE)
  const unpacked = await call(processor, '/v1/traces', bomb, { ...PROTOBUF, ...GZIP })
  assert.equal(unpacked.status, 413)
  assert.equal((await readProtobuf(unpacked, 'Status'))['code'], 8)
  const declared = await postSlowly(processor, { 'content-length': String(17 * MEGABYTE) }, 0)
  assert.equal(declared, 413)
  const undeclared = await postSlowly(processor, { 'transfer-encoding': 'chunked' }, 17)
  assert.equal(undeclared, 413)
  assert.equal((await ask<StatusAnswer>(processor, '/v1/status')).deadLetters, 0)
})

/** Posts some megabytes without ending the request; resolves with the status. */
function postSlowly(
  { url, token }: Called,
  headers: Readonly<Record<string, string>>,
  megabytes: number,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/v1/traces`, {
      method: 'POST',
      headers: { ...PROTOBUF, ...headers, authorization: `Bearer ${token}` },
    })
    request.on('response', (response) => {
      resolve(response.statusCode)
      request.destroy()
    })
    request.on('error', reject)
    request.flushHeaders()
    for (let sent = 0; sent < megabytes; sent++) request.write(Buffer.alloc(MEGABYTE))
  })
}

test('what is not OTLP is refused with what to send instead', async (t) => {
  const processor = await runProcessor(t)
  const text = await call(processor, '/v1/traces', Buffer.from('x'), { 'content-type': 'text/csv' })
  assert.equal(text.status, 415)
  assert.match(((await text.json()) as { message: string }).message, /application\/x-protobuf/)
  const packed = await call(processor, '/v1/traces', Buffer.from('x'), { 'content-encoding': 'br' })
  assert.equal(packed.status, 415)
})

test('metrics and logs are accepted and counted, so that an exporter of all three goes on', async (t) => {
  const processor = await runProcessor(t)
  for (const signal of ['metrics', 'logs']) {
    const body = Buffer.from([0x0a, 0x00])
    assert.equal((await call(processor, `/v1/${signal}`, body, PROTOBUF)).status, 200)
  }
  const metrics = await (await call(processor, '/metrics')).text()
  assert.match(metrics, /tokenfuse_otlp_requests_total\{signal="metrics",outcome="accepted"\} 1/)
  assert.match(metrics, /tokenfuse_otlp_requests_total\{signal="logs",outcome="accepted"\} 1/)
})

test('while the log cannot be written nothing is acknowledged; senders are told to come again, and then all counts', async (t) => {
  const processor = await runProcessor(t)
  const request = toProtobuf(callsRequest(5))
  const other = new DatabaseSync(join(processor.dataDirectory, 'events.db'))
  t.after(() => other.close())
  other.exec('BEGIN IMMEDIATE')
  const refused = await call(processor, '/v1/traces', request, PROTOBUF)
  assert.equal(refused.status, 503)
  assert.equal(refused.headers.get('retry-after'), '1')
  assert.equal((await readProtobuf(refused, 'Status'))['code'], 14)
  assert.equal(await callsCounted(processor), 0)
  other.exec('ROLLBACK')
  assert.equal((await call(processor, '/v1/traces', request, PROTOBUF)).status, 200)
  assert.equal(await callsCounted(processor), 5)
})

test('on a full disk the processor stays up, refuses, and has counted exactly what it acknowledged', async (t) => {
  const processor = await runProcessor(t, { retention: { maxBytes: MEGABYTE } })
  let acknowledged = 0
  for (;;) {
    const response = await call(processor, '/v1/traces', toProtobuf(callsRequest(100)), PROTOBUF)
    if (response.status === 503) break
    assert.equal(response.status, 200)
    acknowledged += 100
  }
  assert.ok(acknowledged > 0)
  assert.equal((await call(processor, '/readyz')).status, 200)
  assert.equal(await callsCounted(processor), acknowledged)
})

test('so many exports are taken at a time; one more is told to come again, and senders that vanish make room', async (t) => {
  const processor = await runProcessor(t)
  const body = toProtobuf(callsRequest(1))
  const begun = Array.from({ length: 128 }, () => {
    const request = httpRequest(`${processor.url}/v1/traces`, {
      method: 'POST',
      headers: {
        ...PROTOBUF,
        authorization: `Bearer ${processor.token}`,
        expect: '100-continue',
        'content-length': '1000',
      },
    })
    request.on('error', () => {})
    request.flushHeaders()
    return request
  })
  await Promise.all(begun.map((request) => once(request, 'continue')))
  const refused = await call(processor, '/v1/traces', body, PROTOBUF)
  assert.equal(refused.status, 503)
  assert.equal(refused.headers.get('retry-after'), '1')
  for (const request of begun) request.destroy()
  let status = 503
  while (status === 503) {
    const response = await call(processor, '/v1/traces', body, PROTOBUF)
    await response.arrayBuffer()
    status = response.status
  }
  assert.equal(status, 200)
  assert.equal(await callsCounted(processor), 1)
})

test('whatever bytes are posted, the answer is 200 or 400 and the processor goes on', async (t) => {
  const processor = await runProcessor(t)
  const valid = Buffer.from(toProtobuf(callsRequest(2)))
  const mutated = fc
    .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
    .map((changes) => {
      const bytes = Buffer.from(valid)
      for (const [at, byte] of changes) bytes[at] = byte
      return bytes
    })
  const anyBytes = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated, anyBytes), fc.boolean(), async (bytes, asJson) => {
      const response = await call(processor, '/v1/traces', bytes, asJson ? {} : PROTOBUF)
      await response.arrayBuffer()
      assert.ok([200, 400].includes(response.status), `status ${response.status}`)
    }),
    { interruptAfterTimeLimit: FUZZ_MS, numRuns: 100_000 },
  )
  assert.equal((await call(processor, '/readyz')).status, 200)
})
