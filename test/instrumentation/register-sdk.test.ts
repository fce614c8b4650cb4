import assert from 'node:assert/strict'
import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { bundlePreload } from '../../scripts/build/bundle.ts'
import { startFakeCollector } from '../support/preload/fake-collector.ts'
import { startFakeProcessor } from '../support/preload/fake-processor.ts'
import { CHAT_BODY } from '../support/preload/llm-bodies.ts'
import { sendJson, startLlmServer } from '../support/preload/llm-server.ts'
import { repository, runApp } from '../support/preload/run-app.ts'
import { makeTemporaryFolder } from '../support/processes.ts'

const folder = makeTemporaryFolder()
const preload = ['--import', pathToFileURL(join(folder.path, 'register-sdk.js')).href]

before(async () => {
  symlinkSync(join(repository, 'node_modules'), join(folder.path, 'node_modules'))
  writeFileSync(join(folder.path, 'package.json'), '{"type":"module"}')
  await bundlePreload(join(repository, 'instrumentation'), folder.path)
})
after(() => folder.remove())

const CALL = `
  const call = () => fetch(process.env.LLM + '/v1/chat/completions?key=swordfish', {
    method: 'POST', body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'swordfish' }] }),
  })
`

test('the HTTP request of a call is a span below it, and metrics of calls and guard go to the Collector', async (t) => {
  const collector = await startFakeCollector(t)
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  const app = `${CALL}
    await (await call()).json()
    await (await call()).json()
    await (await fetch(process.env.LLM + '/other?token=swordfish')).text()
    process.exitCode = 7
  `
  const env = {
    TOKENFUSE_URL: processor.url,
    TOKENFUSE_HOSTS: `${llm.host}=openai`,
    TOKENFUSE_AGENT: 'writer',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_SERVICE_NAME: 'api',
    LLM: llm.url,
  }
  const { code, stderr } = await runApp(t, app, { env, preload })
  assert.deepEqual([code, stderr], [7, ''])

  const calls = collector.preloadSpans.filter(
    ({ attributes }) => attributes['gen_ai.operation.name'],
  )
  assert.equal(calls.length, 2)
  const below = calls.map(({ traceId, spanId }) =>
    collector.sdkSpans.find((span) => span.traceId === traceId && span.parentSpanId === spanId),
  )
  for (const span of below) {
    assert.equal(span?.attributes['url.full'], `${llm.url}/v1/chat/completions`)
  }
  assert.equal(collector.sdkSpans.length, 3)
  // No provider is to know the trace; other hosts are.
  const parents = llm.seen.map(({ headers }) => 'traceparent' in headers)
  assert.deepEqual(parents, [false, false, true])

  const labels = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4o-mini',
    'gen_ai.response.model': CHAT_BODY.model,
    'gen_ai.agent.name': 'writer',
    'server.address': '127.0.0.1',
  }
  const tokens = { ...labels, 'gen_ai.token.modality': 'unknown' }
  const { prompt_tokens: input, completion_tokens: output } = CHAT_BODY.usage
  const point = (name: string) => collector.metrics.get(name)
  assert.deepEqual(point('gen_ai.client.operation.duration'), [[2, labels]])
  assert.deepEqual(point('gen_ai.client.inference.usage.input_tokens'), [[2 * input, tokens]])
  assert.deepEqual(point('gen_ai.client.inference.usage.output_tokens'), [[2 * output, tokens]])
  assert.deepEqual(point('tokenfuse.guard.instances'), [[1, {}]])
  assert.deepEqual(point('tokenfuse.guard.connections'), [[1, {}]])
  assert.deepEqual(point('tokenfuse.guard.spans.dropped'), [[0, {}]])
  assert.equal(collector.bytes.includes('swordfish'), false)
})

test('a Collector that is not there holds up a process that ends for two seconds at most', async (t) => {
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  const env = {
    TOKENFUSE_URL: 'http://127.0.0.1:9',
    TOKENFUSE_HOSTS: `${llm.host}=openai`,
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    LLM: llm.url,
  }
  const app = `${CALL}
    await (await call()).json()
    const ended = performance.now()
    process.on('exit', () => console.log(performance.now() - ended < 4000))
  `
  const { code, stdout } = await runApp(t, app, { env, preload })
  assert.deepEqual([code, stdout], [0, 'true\n'])
})

test('without a Collector, and beside an OpenTelemetry of the app, it says so and meters all the same', async (t) => {
  const processor = await startFakeProcessor(t)
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  const env = { TOKENFUSE_URL: processor.url, TOKENFUSE_HOSTS: `${llm.host}=openai`, LLM: llm.url }
  const own = `data:text/javascript,${encodeURIComponent(
    `globalThis[Symbol.for('opentelemetry.js.api.1')] = { version: '1.10.0', trace: { getTracer() {} } }`,
  )}`
  const app = `${CALL} await (await call()).json()`
  const alone = await runApp(t, app, { env, preload })
  assert.match(alone.stderr, /^tokenfuse: OTEL_EXPORTER_OTLP_ENDPOINT names no Collector [^\n]*\n$/)
  const withEndpoint = { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: processor.url }
  const beside = await runApp(t, app, { env: withEndpoint, preload: ['--import', own, ...preload] })
  assert.match(beside.stderr, /^tokenfuse: OpenTelemetry is set up already[^\n]*\n$/)
  assert.equal((await processor.waitForSpans(2)).length, 2)
})

test('on a Node that is too old it does nothing but say so', async (t) => {
  const old = `data:text/javascript,${encodeURIComponent(
    `Object.defineProperty(process.versions, 'node', { value: '18.0.0' })`,
  )}`
  const { code, stdout, stderr } = await runApp(t, `console.log('app')`, {
    preload: ['--import', old, ...preload],
  })
  assert.deepEqual([code, stdout], [0, 'app\n'])
  assert.match(stderr, /^tokenfuse: needs Node 22\.15[^\n]*\n$/)
})
