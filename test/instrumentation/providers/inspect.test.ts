import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { type Inspection, inspectResponse } from '../../../instrumentation/src/providers/index.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'
import { loadRecording, recordingNames } from '../../support/recordings.ts'
import { sharedPath } from '../../support/shared.ts'
import { ANTHROPIC_FORMS, OPENAI_FORMS, OTHER_RECORDINGS } from './normal-forms.ts'

const OPENAI = 'https://api.openai.com/v1'
const CHAT = `${OPENAI}/chat/completions`
const MESSAGES = 'https://api.anthropic.com/v1/messages'
const NOTHING = {
  input: null,
  cacheRead: null,
  cacheWrite: null,
  cacheWrite1h: null,
  output: null,
  reasoning: null,
}

function inspect(content: string | Uint8Array, url: string): Inspection {
  return inspectResponse(typeof content === 'string' ? Buffer.from(content) : content, new URL(url))
}

function countsAt(path: string, url: string): (number | null)[] {
  const { input, cacheRead, output, reasoning } = inspect(readFileSync(path), url).total.tokens
  return [input, cacheRead, output, reasoning]
}

test('every recorded answer reads as written by hand, as lines, as a raw stream and gzipped', (t) => {
  const root = sharedPath(t, 'fixtures/providers')
  if (!root) return
  const folders = [
    ['openai', OPENAI_FORMS, `${OPENAI}/responses`],
    ['anthropic', ANTHROPIC_FORMS, MESSAGES],
  ] as const
  for (const [folder, forms, url] of folders) {
    for (const [name, expected] of Object.entries(forms)) {
      const path = join(root, folder, name)
      const raw = Buffer.concat(loadRecording(path).map(({ body }) => body))
      const bytes = readFileSync(path)
      for (const content of [bytes, raw, gzipSync(bytes)]) {
        const found = inspect(content, url)
        assert.equal(found.recognised, true, name)
        assert.deepEqual(
          found.responses.map(({ parts }) => parts),
          expected.map(({ parts }) => parts),
          name,
        )
        assert.deepEqual(
          found.responses.map(({ source }) => source),
          expected.map(({ source }) => source),
          name,
        )
      }
    }
  }
})

test('recordings of no inference endpoint are labelled, and have no tokens rather than 0', (t) => {
  const root = sharedPath(t, 'fixtures/providers')
  if (!root) return
  const addresses: Readonly<Record<string, string>> = {
    image: `${OPENAI}/images/generations`,
    realtime: `${OPENAI}/realtime/translations`,
    skill: `${OPENAI}/skills`,
    transcription: `${OPENAI}/audio/transcriptions`,
  }
  for (const [name, label] of Object.entries(OTHER_RECORDINGS)) {
    for (const url of [addresses[label] ?? '', CHAT, MESSAGES]) {
      const found = inspect(readFileSync(join(root, name)), url)
      assert.equal(found.recognised, false, name)
      assert.equal(found.label, label, `${name} at ${url}`)
      assert.ok(found.reason)
      assert.deepEqual(found.responses, [])
      assert.deepEqual(found.total.tokens, NOTHING)
      assert.equal(found.total.source, null)
    }
  }
})

test('an error is recognised and named, with no tokens', () => {
  const error = '{"error":{"message":"no","type":"invalid_request_error","code":null}}'
  const found = inspect(error, CHAT)
  assert.equal(found.recognised, true)
  assert.equal(found.label, 'error')
  assert.equal(found.responses[0]?.error, 'invalid_request_error')
  assert.deepEqual(found.total.tokens, NOTHING)
  assert.equal(inspect(error, `${OPENAI}/images/generations`).recognised, false)
  assert.equal(inspect(error, `${OPENAI}/images/generations`).label, 'error')
})

test('several answers back to back are each returned, and added up', (t) => {
  const root = sharedPath(t, 'fixtures/providers')
  if (!root) return
  const read = (name: string, url: string) => inspect(readFileSync(join(root, name)), url)
  const found = read('openai/openai-shell-tool.1.chunks.txt', `${OPENAI}/responses`)
  assert.equal(found.responses.length, 2)
  // 145 + 331 in, 41 + 166 out.
  assert.deepEqual([found.total.tokens.input, found.total.tokens.output], [476, 207])
  assert.equal(found.total.source, 'provider')
  assert.equal(found.total.responseModel, 'gpt-5.1-2025-11-13')
  const steps = read('anthropic/anthropic-programmatic-tool-calling.1.chunks.txt', MESSAGES)
  assert.equal(steps.responses.length, 15)
  // 3,369 + 4,551 in, 725 + 197 out, and thirteen steps of 0.
  assert.deepEqual([steps.total.tokens.input, steps.total.tokens.output], [7920, 922])
})

test('chat completions back to back are told apart by their ends', () => {
  const answer = (id: string) => [
    `{"id":"${id}","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"x"}}]}`,
    `{"id":"${id}","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
    `{"id":"${id}","model":"m","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2}}`,
  ]
  const lines = [...answer('a'), ...answer('b')]
  const asLines = inspect(lines.join('\n'), CHAT)
  const stream = (events: readonly string[]) => events.map((event) => `data: ${event}\n\n`).join('')
  const unfinished = answer('a').filter((event) => !event.includes('finish_reason'))
  const asStream = inspect(stream([...unfinished, '[DONE]', ...unfinished, '[DONE]']), CHAT)
  for (const found of [asLines, asStream]) {
    assert.equal(found.responses.length, 2)
    assert.equal(found.total.tokens.input, 20)
  }
})

test('in a sum each part keeps the model that it is charged at', () => {
  const line = (id: string, model: string) => [
    `{"type":"response.created","response":{"id":"${id}","model":"${model}"}}`,
    `{"type":"response.completed","response":{"id":"${id}","model":"${model}","usage":{"input_tokens":1,"output_tokens":2}}}`,
  ]
  const { total } = inspect(
    [...line('a', 'm-1'), ...line('b', 'm-2')].join('\n'),
    `${OPENAI}/responses`,
  )
  assert.equal(total.responseModel, 'm-1')
  assert.deepEqual(
    total.parts.map(({ model }) => model),
    [null, 'm-2'],
  )
})

test('the provider is named by the host, and the dialect is that of the path, whatever the host', () => {
  const body =
    '{"object":"chat.completion","model":"m","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}'
  const rows: [string, string][] = [
    [CHAT, 'openai'],
    [
      'https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=1',
      'azure.ai.openai',
    ],
    ['https://api.deepseek.com/chat/completions', 'deepseek'],
    ['https://api.groq.com/openai/v1/chat/completions', 'groq'],
    ['https://api.x.ai/v1/chat/completions', 'x_ai'],
    ['https://api.mistral.ai/v1/chat/completions', 'mistral_ai'],
    ['https://openrouter.ai/api/v1/chat/completions', 'openrouter'],
    ['https://bedrock-mantle.us-east-1.api.aws/openai/v1/chat/completions', 'aws.bedrock'],
    ['https://generativelanguage.googleapis.com/v1beta/openai/chat/completions', 'gcp.gemini'],
    ['http://127.0.0.1:8000/v1/chat/completions', 'openai'],
    ['https://gateway.example/any/prefix/chat/completions', 'openai'],
  ]
  for (const [url, provider] of rows) {
    const found = inspect(body, url)
    assert.equal(found.provider, provider, url)
    assert.equal(found.dialect, 'openai.chat')
    assert.deepEqual([found.total.tokens.input, found.total.tokens.output], [1, 2])
  }
  const claude =
    '{"type":"message","model":"m","content":[],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}'
  assert.equal(inspect(claude, 'https://gateway.example/v1/messages').provider, 'anthropic')
})

test('where the content is plainly of another dialect than the path, the content decides', () => {
  const body =
    '{"object":"response","id":"r","model":"m","status":"completed","usage":{"input_tokens":5,"output_tokens":6}}'
  const found = inspect(body, CHAT)
  assert.equal(found.dialect, 'openai.responses')
  assert.equal(found.total.tokens.input, 5)
})

test('other providers that speak a dialect of OpenAI are read by their own rules', (t) => {
  const root = sharedPath(t, 'fixtures/providers')
  if (!root) return
  const azure = 'https://r.openai.azure.com/openai'
  // Input, cache read, output, reasoning; from the recordings' own usage.
  const rows: [string, string, (number | null)[]][] = [
    [
      'deepseek/deepseek-tool-call.chunks.txt',
      'https://api.deepseek.com/chat/completions',
      [339, 320, 83, 39],
    ],
    [
      'groq/groq-reasoning.chunks.txt',
      'https://api.groq.com/openai/v1/chat/completions',
      [17, null, 1107, 963],
    ],
    [
      'mistral/mistral-text.chunks.txt',
      'https://api.mistral.ai/v1/chat/completions',
      [13, null, 8, null],
    ],
    // 1 + 228 of reasoning, which is counted apart.
    ['xai/xai-text.json', 'https://api.x.ai/v1/chat/completions', [12, 2, 229, 228]],
    ['xai/xai-text.chunks.txt', 'https://api.x.ai/v1/chat/completions', [12, 11, 291, 290]],
    ['xai/xai-web-search-tool.1.json', 'https://api.x.ai/v1/responses', [1941, 947, 583, 380]],
    [
      'azure/azure-deepseek-reasoning.1.chunks.txt',
      `${azure}/v1/chat/completions`,
      [19, null, 1720, 0],
    ],
    [
      'azure/azure-reasoning-encrypted-content.1.chunks.txt',
      `${azure}/v1/responses`,
      [965, 0, 92, 0],
    ],
    [
      'azure/azure-text.1.json',
      `${azure}/responses?api-version=2025-04-01-preview`,
      [11, 0, 11, 0],
    ],
  ]
  for (const [name, url, expected] of rows) {
    assert.deepEqual(countsAt(join(root, name), url), expected, name)
  }
})

test('formats that are not read yet are labelled and never have tokens', (t) => {
  const root = sharedPath(t, 'fixtures/providers')
  if (!root) return
  const rows = [
    [
      'google',
      'https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse',
    ],
    ['google', 'https://generativelanguage.googleapis.com/v1beta/interactions'],
    [
      'amazon-bedrock',
      'https://bedrock-runtime.us-east-1.amazonaws.com/model/a%3A0/converse-stream',
    ],
    ['cohere', 'https://api.cohere.com/v2/chat'],
  ] as const
  for (const [folder, url] of rows) {
    for (const name of recordingNames(join(root, folder))) {
      const found = inspect(readFileSync(join(root, folder, name)), url)
      assert.equal(found.recognised, false)
      assert.ok(found.label === 'unsupported' || found.label === 'error', name)
      assert.deepEqual(found.total.tokens, NOTHING)
    }
  }
})

test('an address that is no model call, and content that is no answer, say so', () => {
  const body = '{"object":"chat.completion","usage":{"prompt_tokens":1,"completion_tokens":2}}'
  const rows: [string, string, string][] = [
    [body, `${OPENAI}/models`, 'model_list'],
    [body, `${MESSAGES}/count_tokens`, 'token_count'],
    [body, `${OPENAI}/files`, 'file'],
    [body, 'https://example.com/', 'unknown'],
    ['{"object":"skill","id":"skill_1"}', 'https://example.com/', 'skill'],
    ['hello', CHAT, 'unreadable'],
    ['', CHAT, 'unreadable'],
    ['\u001f\u008bnot gzip', CHAT, 'unreadable'],
    ['{"hello":1}', CHAT, 'unknown'],
    ['{"hello":1}\n{"bye":2}', MESSAGES, 'unknown'],
  ]
  for (const [content, url, label] of rows) {
    const found = inspect(Buffer.from(content, 'latin1'), url)
    assert.equal(found.recognised, false, content)
    assert.equal(found.label, label, `${content} at ${url}`)
    assert.ok(found.reason)
    assert.deepEqual(found.total.tokens, NOTHING)
  }
})

test('a recording of a single event is read as one', () => {
  const event =
    '{"type":"response.completed","response":{"id":"r","model":"m","usage":{"input_tokens":5,"output_tokens":6}}}\n'
  assert.equal(inspect(event, `${OPENAI}/responses`).total.tokens.output, 6)
})

test('no bytes make an inspection throw', () => {
  const urls = [
    CHAT,
    `${OPENAI}/responses`,
    MESSAGES,
    `${OPENAI}/images/edits`,
    'https://x.example/',
  ]
  const text = fc.oneof(
    fc.uint8Array({ maxLength: 80 }),
    fc.json().map((json) => Buffer.from(json)),
    fc.array(fc.json(), { maxLength: 4 }).map((lines) => Buffer.from(lines.join('\n'))),
    fc
      .array(fc.json(), { maxLength: 4 })
      .map((all) => Buffer.from(all.map((e) => `data: ${e}\n\n`).join(''))),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from([0x1f, 0x8b, ...bytes])),
  )
  fc.assert(
    fc.property(text, fc.constantFrom(...urls), (bytes, url) => {
      const found = inspect(bytes, url)
      assert.equal(found.recognised || found.responses.length === 0, true)
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_MS, markInterruptAsFailure: false },
  )
})
