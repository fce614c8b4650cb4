import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { setTimeout as wait } from 'node:timers/promises'
import type { Decision } from '@tokenfuse/protocol'
import {
  DEAD_LETTERS_TOPIC,
  DECISIONS_TOPIC,
  SPANS_TOPIC,
} from '../../processor/src/log/kafka/topics.ts'
import { kafkaJars } from '../../scripts/stack/kafka.ts'
import { requireTool, runTool } from '../../scripts/stack/tools.ts'
import { otlpRequest, toJson } from '../processor/meter/otlp.ts'
import { collectorEnvironment } from '../support/collector-environment.ts'
import { CHAT_BODY } from '../support/preload/llm-bodies.ts'
import { sendJson, startLlmServer } from '../support/preload/llm-server.ts'
import { repository, runApp } from '../support/preload/run-app.ts'
import {
  makeTemporaryFolder,
  type ProcessorProcess,
  startProcessorProcess,
} from '../support/processes.ts'
import { RunningStack } from '../support/running-stack.ts'
import { callSpan } from '../support/spans.ts'
import { requireTools } from '../support/stack.ts'
import { TopicValues } from './support/topic-values.ts'
import { until } from './support/until.ts'

requireTools()
const IDLE_S = 15
const IDLE_ATTEMPTS = 5
const folder = makeTemporaryFolder()
const policyFile = join(folder.path, 'tokenfuse.yaml')
writeFileSync(
  policyFile,
  'version: 1\nbudgets:\n  - { id: writer, match: { agent: writer }, limit: { tokens: 1000 }, window: day }\n',
)
let stack: RunningStack
let processor: ProcessorProcess

before(async () => {
  stack = await RunningStack.start(folder.path, { eventPartitions: 3 })
  processor = await startProcessor()
})

after(async () => {
  await processor?.stop()
  await stack?.stop()
  folder.remove()
})

function startProcessor(port = 0): Promise<ProcessorProcess> {
  const data = join(folder.path, 'data')
  return startProcessorProcess(data, { kafka: stack.brokers, policyFile, port })
}

async function sendCalls(count: number): Promise<void> {
  const request = otlpRequest(Array.from({ length: count }, () => callSpan()))
  const response = await fetch(`${stack.collector.url}/v1/traces`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${stack.collector.token}`,
    },
    body: toJson(request),
  })
  assert.equal(response.status, 200, await response.text())
}

const calls = async () => (await processor.usage(['agent'])).total.calls

test('calls come through Collector and Kafka, and are counted once', async () => {
  await sendCalls(5)
  await until(async () => (await calls()) === 5, 'five calls are counted')
  const { total } = await processor.usage(['agent'])
  // 5 calls of 100 tokens at 0.15 USD and 10 at 0.60 USD a million: 5 x (15 + 6) micro-USD
  assert.equal(total.costPicoUsd, '105000000')
})

test('a decision is told to any consumer of its topic, by what it is about', async () => {
  await sendCalls(5)
  const decisions = await TopicValues.open(stack.brokers, DECISIONS_TOPIC)
  const found = await decisions.find((text) => {
    const decision = JSON.parse(text) as Decision
    return decision.budget === 'writer' && decision.action === 'block'
  })
  await decisions.close()
  assert.equal(found.key, 'default|writer||*')
  const decision = JSON.parse(found.value) as Decision
  assert.equal(decision.inputs.spent, '1100')
})

test('the console consumer of the documentation shows it', async () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/kafka.md'), 'utf8')
  const [, command = ''] = /^kafka-console-consumer\.sh ((?:.*\\\n)*.*)$/m.exec(page) ?? []
  const args = command.replaceAll('\\\n', '').replace('k1:9092', stack.brokers).split(/ +/)
  const classPath = join(await kafkaJars(), '*')
  const consumer = 'org.apache.kafka.tools.consumer.ConsoleConsumer'
  const shown = await runTool(
    requireTool('java'),
    ['-cp', classPath, consumer, ...args, '--max-messages', '1', '--timeout-ms', '30000'],
    { folder: folder.path },
  )
  const [, text = ''] = /^default\|writer\|\|\*\t(\{.*\})$/m.exec(shown) ?? []
  assert.equal((JSON.parse(text) as Decision).budget, 'writer', shown)
})

test('a record that is no OTLP is kept aside with its place, and what follows is counted', async () => {
  const spans = await TopicValues.open(stack.brokers, SPANS_TOPIC)
  await spans.write('no protobuf at all')
  const letters = await TopicValues.open(stack.brokers, DEAD_LETTERS_TOPIC)
  const letter = await letters.find((text) => text === 'no protobuf at all')
  await Promise.all([spans.close(), letters.close()])
  assert.match(letter.key, /^kafka:otlp_spans\/\d+@\d+$/)
  assert.equal(letter.headers['code'], 'otlp_malformed')
  await sendCalls(1)
  await until(async () => (await calls()) === 11, 'the next call is counted')
})

test('a processor that is killed goes on where its state was, and counts nothing twice', async () => {
  await processor.stop('SIGKILL')
  await sendCalls(3)
  processor = await startProcessor(processor.port)
  await until(async () => (await calls()) === 14, 'calls of the meantime are counted')
  await processor.stop()
  processor = await startProcessor(processor.port)
  assert.equal(await calls(), 14)
})

test('an agent with the OpenTelemetry SDK is counted once, and tells how it fares through the Collector', async (t) => {
  const before = await calls()
  const llm = await startLlmServer(t, (_request, response) => sendJson(response, CHAT_BODY))
  const register = pathToFileURL(join(repository, 'instrumentation/dist/register-sdk.js')).href
  const app = `
    const body = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hi' }] })
    await (await fetch(process.env.LLM + '/v1/chat/completions', { method: 'POST', body })).json()
  `
  const env = {
    TOKENFUSE_URL: processor.url,
    TOKENFUSE_TOKEN: processor.token,
    TOKENFUSE_HOSTS: `${llm.host}=openai`,
    TOKENFUSE_AGENT: 'sdk',
    LLM: llm.url,
    ...collectorEnvironment(stack.collector),
  }
  const { code, stderr } = await runApp(t, app, { env, preload: ['--import', register] })
  assert.deepEqual([code, stderr], [0, ''])
  await until(async () => (await calls()) === before + 1, 'its call is counted')
  const text = await (await fetch(stack.collector.metricsUrl)).text()
  const point = (name: string) => new RegExp(`^${name}\\{[^\\n]*\\} (\\d+)$`, 'm').exec(text)?.[1]
  assert.equal(point('gen_ai_client_operation_duration_seconds_count'), '1')
  assert.equal(
    point('gen_ai_client_inference_usage_input_tokens_total'),
    String(CHAT_BODY.usage.prompt_tokens),
  )
  assert.equal(point('tokenfuse_guard_instances'), '1')
})

/** User and system time of a process, seconds; in `/proc` it stands in hundredths. */
function cpuSeconds(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')
  const fields = rest.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

test('a processor that has nothing to do uses under 1 % of a core', async (t) => {
  if (!existsSync('/proc/self/stat')) return t.skip('times of processes are read from /proc')
  const { offset } = await processor.status()
  // What it does at its start is not idling.
  await wait(10_000)
  // Other tests work beside it, and what they do to caches and clock rates counts as its own time: the least counts.
  let used = Infinity
  for (let attempt = 0; attempt < IDLE_ATTEMPTS && used >= 0.01; attempt++) {
    const before = cpuSeconds(processor.pid)
    await wait(IDLE_S * 1000)
    used = Math.min(used, (cpuSeconds(processor.pid) - before) / IDLE_S)
  }
  const ticks = (await processor.status()).offset - offset
  assert.ok(ticks <= 2, `next to nothing was to be done, but ${ticks} entries came`)
  assert.ok(used < 0.01, `it used ${(used * 100).toFixed(2)} %`)
})
