import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { type InspectedFile, inspectFile } from '../../../cli/src/inspect/inspected.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'
import { sharedPath } from '../../support/shared.ts'

const CHAT = new URL('https://api.openai.com/v1/chat/completions')
const MESSAGES = new URL('https://api.anthropic.com/v1/messages')
const NOW_MS = Date.UTC(2026, 0, 2)

const inspect = (content: unknown, url = CHAT) => {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  return inspectFile(Buffer.from(text), url, NOW_MS)
}

const completion = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-4o-2024-08-06',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: {
    prompt_tokens: 1200,
    completion_tokens: 310,
    prompt_tokens_details: { cached_tokens: 1024 },
    completion_tokens_details: { reasoning_tokens: 128 },
  },
}

test('a body is read and priced to the pico-USD', () => {
  const { costPicoUsd, charges, ...rest } = inspect(completion)
  assert.deepEqual(rest, {
    recognised: true,
    label: 'openai.chat',
    reason: null,
    provider: 'openai',
    responseModel: 'gpt-4o-2024-08-06',
    tokens: {
      input: 1200,
      cacheRead: 1024,
      cacheWrite: null,
      cacheWrite1h: null,
      output: 310,
      reasoning: 128,
    },
    source: 'provider',
    priced: 'exact',
    problems: [],
  })
  // 176 x 2.50 + 1024 x 1.25 + 310 x 10 USD per million
  assert.equal(costPicoUsd, String(440_000_000n + 1_280_000_000n + 3_100_000_000n))
  assert.deepEqual(
    charges.map(({ kind, quantity, picoUsd }) => [kind, quantity, picoUsd]),
    [
      ['input', 176, '440000000'],
      ['cache_read', 1024, '1280000000'],
      ['output', 310, '3100000000'],
    ],
  )
})

test('raw server-sent events and one event a line give the same', () => {
  const events = [
    {
      type: 'message_start',
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'claude-3-5-sonnet-20241022',
        content: [],
        usage: { input_tokens: 20, output_tokens: 1 },
      },
    },
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 30 } },
    { type: 'message_stop' },
  ]
  const raw = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  const lines = events.map((event) => `${JSON.stringify(event)}\n`)
  const read = inspect(raw.join(''), MESSAGES)
  assert.deepEqual(inspect(lines.join(''), MESSAGES), read)
  // 20 x 3 + 30 x 15 USD per million
  assert.equal(read.costPicoUsd, '510000000')
  assert.equal(read.provider, 'anthropic')
})

test('several responses in one file are told one by one and in sum', () => {
  const lines = (id: string) =>
    [
      { id, object: 'chat.completion.chunk', model: 'gpt-4o', choices: [] },
      {
        id,
        object: 'chat.completion.chunk',
        model: 'gpt-4o',
        choices: [],
        usage: { prompt_tokens: 10, completion_tokens: 1 },
      },
    ].map((event) => `data: ${JSON.stringify(event)}\n\n`)
  const stream = [...lines('a'), 'data: [DONE]\n\n', ...lines('b'), 'data: [DONE]\n\n'].join('')
  const { responses, tokens, costPicoUsd } = inspect(stream)
  assert.equal(responses?.length, 2)
  assert.equal(tokens?.input, 20)
  // Twice 10 x 2.50 + 1 x 10 USD per million
  assert.equal(costPicoUsd, '70000000')
  assert.deepEqual(
    responses?.map((response) => response.costPicoUsd),
    ['35000000', '35000000'],
  )
})

test('what is no model call that is known, or tells no usage, has no tokens and no price instead of none', () => {
  const nothing = { tokens: null, costPicoUsd: null, priced: null, source: null }
  const image = inspect(
    { created: 1, data: [{ b64_json: 'x' }] },
    new URL('https://api.openai.com/v1/images/generations'),
  )
  assert.partialDeepStrictEqual(image, { recognised: false, label: 'image', ...nothing })
  assert.partialDeepStrictEqual(inspect('no json'), { recognised: false, ...nothing })
  const { usage: _, ...withoutUsage } = completion
  assert.partialDeepStrictEqual(inspect(withoutUsage), {
    recognised: true,
    costPicoUsd: null,
    priced: null,
    source: null,
    tokens: { input: null, output: null },
  })
})

test('an unknown model costs the ceiling and never nothing', () => {
  const { costPicoUsd, priced } = inspect({ ...completion, model: 'never-heard-of-it' })
  assert.equal(priced, 'ceiling')
  assert.ok(BigInt(costPicoUsd ?? 0) > 0n)
})

const PATHS: Readonly<Record<string, string>> = {
  openai: 'https://api.openai.com/v1/chat/completions',
  azure: 'https://x.openai.azure.com/openai/v1/responses',
  anthropic: 'https://api.anthropic.com/v1/messages',
}

test('every recording of every provider is read without an error, and none of unknown usage has a price', (t) => {
  const root = sharedPath(t, 'fixtures/providers')
  if (root === null) return
  for (const provider of readdirSync(root)) {
    const url = new URL(PATHS[provider] ?? `https://${provider}.example/v1/chat/completions`)
    for (const name of readdirSync(join(root, provider))) {
      const read = inspectFile(readFileSync(join(root, provider, name)), url, NOW_MS)
      assertHonest(read, `${provider}/${name}`)
    }
  }
})

function assertHonest(file: InspectedFile, name: string): void {
  const { recognised, tokens, costPicoUsd, charges, source } = file
  assert.equal(tokens === null, !recognised, name)
  assert.equal(costPicoUsd === null, source === null, name)
  if (costPicoUsd === null) assert.deepEqual(charges, [], name)
  const sum = charges.reduce((total, { picoUsd }) => total + BigInt(picoUsd), 0n)
  assert.equal(String(sum), costPicoUsd ?? '0', name)
}

test('fuzz: whatever a file holds, it is read or said to be unreadable', () => {
  const damaged = fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 8 })).map(([at, bytes]) => {
    const whole = Buffer.from(JSON.stringify(completion))
    bytes.forEach((byte, index) => whole.writeUInt8(byte, (at + index) % whole.length))
    return whole
  })
  const url = fc.constantFrom(CHAT, MESSAGES, new URL('https://x.example/'))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), url, (bytes, where) => {
      assertHonest(inspectFile(bytes, where, NOW_MS), Buffer.from(bytes).toString('hex'))
    }),
    { interruptAfterTimeLimit: FUZZ_MS, numRuns: 1_000_000, markInterruptAsFailure: false },
  )
})
