import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countsOf, readEvents, readJson } from './response-support.ts'

const start = (usage: object, more: object = {}) => ({
  type: 'message_start',
  message: { id: 'msg_1', type: 'message', model: 'claude-a', stop_reason: null, usage, ...more },
})
const says = (text: string) => ({
  type: 'content_block_delta',
  index: 0,
  delta: { type: 'text_delta', text },
})
const delta = (usage: object | null, stopReason: string | null = 'end_turn') => ({
  type: 'message_delta',
  delta: { stop_reason: stopReason },
  ...(usage && { usage }),
})
const STOP = { type: 'message_stop' }
const iteration = (type: string, input: number, output: number, more: object = {}) => ({
  type,
  input_tokens: input,
  output_tokens: output,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
  ...more,
})
const body = (usage: object) => ({
  id: 'msg_1',
  type: 'message',
  model: 'claude-a',
  stop_reason: 'end_turn',
  content: [],
  usage,
})

test('usage in a stream is cumulative: the last number of a field wins, nothing is added', () => {
  const facts = readEvents('anthropic.messages', [
    start({ input_tokens: 100, cache_read_input_tokens: 30, output_tokens: 5 }),
    delta({ input_tokens: null, output_tokens: 40 }, null),
    delta({ input_tokens: 120, output_tokens: 60 }),
    STOP,
  ])
  assert.deepEqual(countsOf(facts), [150, 30, null, null, 60, null])
  assert.equal(facts.source, 'provider')
  assert.deepEqual(facts.finishReasons, ['end_turn'])
})

test('a stream that breaks off keeps the input of its start and the output seen, and its text', () => {
  const events = [
    start({ input_tokens: 100, output_tokens: 2 }),
    says('Hel'),
    { type: 'content_block_delta', delta: { type: 'thinking_delta', thinking: 'lo ' } },
    { type: 'content_block_delta', delta: { type: 'input_json_delta', partial_json: '{"a"' } },
  ]
  for (const reason of ['aborted', 'failed', 'complete'] as const) {
    const facts = readEvents('anthropic.messages', events, { reason })
    assert.deepEqual(countsOf(facts), [100, null, null, null, 2, null])
    assert.equal(facts.source, 'partial')
    assert.equal(facts.outputText, 'Hello {"a"')
  }
})

test('a delta without a reason to stop is not final; with one it is, even if the stream then breaks', () => {
  const begun = [start({ input_tokens: 100, output_tokens: 2 }), says('x')]
  const running = readEvents('anthropic.messages', [...begun, delta({ output_tokens: 9 }, null)], {
    reason: 'aborted',
  })
  assert.equal(running.source, 'partial')
  assert.equal(countsOf(running)?.[4], 9)
  const done = readEvents('anthropic.messages', [...begun, delta({ output_tokens: 12 })], {
    reason: 'failed',
  })
  assert.equal(done.source, 'provider')
  assert.equal(countsOf(done)?.[4], 12)
})

test('0 at a start says nothing until the message ends', () => {
  const zero = start({ input_tokens: 0, output_tokens: 0, cache_read_input_tokens: 0 })
  const begun = readEvents('anthropic.messages', [zero, says('x')], { reason: 'aborted' })
  assert.deepEqual(begun.parts, [])
  assert.equal(begun.source, null)
  const later = readEvents('anthropic.messages', [
    zero,
    delta({ input_tokens: 8, output_tokens: 3 }),
  ])
  assert.deepEqual(countsOf(later), [8, 0, null, null, 3, null])
  const whole = start({ input_tokens: 0, output_tokens: 0 }, { stop_reason: 'tool_use' })
  assert.deepEqual(countsOf(readEvents('anthropic.messages', [whole, STOP])), [
    0,
    null,
    null,
    null,
    0,
    null,
  ])
})

test('usage that comes with the delta alone is enough', () => {
  const facts = readEvents('anthropic.messages', [
    start({}),
    delta({ input_tokens: 8, output_tokens: 3 }),
    STOP,
  ])
  assert.deepEqual(countsOf(facts), [8, null, null, null, 3, null])
  assert.equal(facts.source, 'provider')
})

test('cache writes are split by lifetime; what the split does not cover is of the default one', () => {
  const split = { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 70 }
  const given = { input_tokens: 5, output_tokens: 1, cache_creation_input_tokens: 100 }
  const cases: [object, (number | null)[]][] = [
    [{ ...given, cache_creation: split }, [105, null, 30, 70, 1, null]],
    [given, [105, null, 100, null, 1, null]],
    [
      { ...given, cache_creation_input_tokens: 160, cache_creation: split },
      [165, null, 90, 70, 1, null],
    ],
    [
      { ...given, cache_creation_input_tokens: 40, cache_creation: split },
      [45, null, 0, 40, 1, null],
    ],
    [{ input_tokens: 5, output_tokens: 1, cache_creation: split }, [105, null, 30, 70, 1, null]],
  ]
  for (const [usage, expected] of cases) {
    assert.deepEqual(countsOf(readJson('anthropic.messages', body(usage))), expected)
  }
})

test('a second start with another id is an attempt that was given up; with the same id it is nothing', () => {
  const first = start({ input_tokens: 50, output_tokens: 4 }, { model: 'claude-b' })
  const second = start({ input_tokens: 60, output_tokens: 1 }, { id: 'msg_2' })
  const end = [delta({ output_tokens: 33 }), STOP]
  const spliced = readEvents('anthropic.messages', [first, says('lost'), second, ...end])
  const charged = spliced.parts.map(({ part, model, tokens }) => [
    part,
    model,
    tokens.input,
    tokens.output,
  ])
  assert.deepEqual(charged, [
    ['attempt', 'claude-b', 50, 4],
    ['message', null, 60, 33],
  ])
  assert.equal(spliced.source, 'partial')
  assert.equal(spliced.responseModel, 'claude-a')
  const repeated = readEvents('anthropic.messages', [
    first,
    delta({ output_tokens: 20 }, null),
    first,
    ...end,
  ])
  assert.deepEqual(countsOf(repeated), [50, null, null, null, 33, null])
  assert.deepEqual(repeated.problems, [])
})

test('several whole messages in one stream are all charged', () => {
  const first = [start({ input_tokens: 10 }), delta({ output_tokens: 1 }), STOP]
  const second = [start({ input_tokens: 20 }, { id: 'msg_2' }), delta({ output_tokens: 2 }), STOP]
  const facts = readEvents('anthropic.messages', [...first, ...second])
  assert.deepEqual(
    facts.parts.map(({ part, tokens }) => [part, tokens.input, tokens.output]),
    [
      ['message', 10, 1],
      ['message', 20, 2],
    ],
  )
  assert.equal(facts.source, 'provider')
  assert.deepEqual(facts.problems, ['several_responses'])
})

test('compaction and advisor are charged beside the messages, with searches on the first', () => {
  const facts = readJson(
    'anthropic.messages',
    body({
      input_tokens: 30,
      output_tokens: 9,
      output_tokens_details: { thinking_tokens: 4 },
      server_tool_use: { web_search_requests: 3 },
      iterations: [
        iteration('compaction', 5000, 70),
        iteration('message', 10, 3),
        iteration('advisor_message', 800, 200, { model: 'claude-z' }),
        iteration('message', 20, 6),
      ],
    }),
  )
  const charged = facts.parts.map(({ part, model, tokens, webSearches }) => [
    part,
    model,
    tokens.input,
    tokens.output,
    tokens.reasoning,
    webSearches,
  ])
  assert.deepEqual(charged, [
    ['message', null, 10, 3, null, 3],
    ['message', null, 20, 6, 4, 0],
    ['compaction', null, 5000, 70, null, 0],
    ['advisor', 'claude-z', 800, 200, null, 0],
  ])
  assert.deepEqual(facts.problems, [])
})

test('iterations that do not add up are charged by their sum, with the cache counts of the top level', () => {
  const facts = readJson(
    'anthropic.messages',
    body({
      input_tokens: 99,
      output_tokens: 9,
      cache_read_input_tokens: 500,
      cache_creation_input_tokens: 0,
      iterations: [iteration('message', 10, 3), iteration('message', 20, 5)],
    }),
  )
  assert.deepEqual(countsOf(facts), [530, 500, 0, null, 8, null])
  assert.deepEqual(facts.problems, ['iterations_mismatch'])
})

test('an iteration of an unknown kind is charged and named', () => {
  const facts = readJson(
    'anthropic.messages',
    body({
      input_tokens: 10,
      output_tokens: 3,
      iterations: [
        iteration('oracle_message', 7, 1, { model: 'claude-o' }),
        iteration('message', 3, 2),
      ],
    }),
  )
  assert.deepEqual(
    facts.parts.map(({ model, tokens }) => [model, tokens.input]),
    [
      ['claude-o', 7],
      [null, 3],
    ],
  )
  assert.deepEqual(facts.problems, ['iteration_unknown'])
})

test('after a fallback the top level alone is charged, to the model that answered', () => {
  const to = {
    type: 'content_block_start',
    content_block: { type: 'fallback', to: { model: 'claude-f' } },
  }
  const begun = [start({ input_tokens: 40, output_tokens: 1 }), to, says('x')]
  const aborted = readEvents('anthropic.messages', begun, { reason: 'aborted' })
  assert.equal(aborted.responseModel, 'claude-f')
  const iterations = [
    iteration('message', 40, 0, { model: 'claude-a' }),
    iteration('fallback_message', 44, 12, { model: 'claude-f' }),
  ]
  const usage = { input_tokens: 44, output_tokens: 12, iterations }
  const whole = readEvents('anthropic.messages', [...begun, delta(usage), STOP])
  assert.deepEqual(countsOf(whole), [44, null, null, null, 12, null])
  assert.equal(whole.parts[0]?.model, null)
  assert.equal(whole.responseModel, 'claude-f')
})

test('the fast speed is a tier of its own, as its price is', () => {
  const usage = { input_tokens: 1, output_tokens: 1, service_tier: 'standard' }
  assert.equal(readJson('anthropic.messages', body(usage)).serviceTier, 'standard')
  const fast = readJson('anthropic.messages', body({ ...usage, speed: 'fast' }))
  assert.equal(fast.serviceTier, 'fast')
})

test('an error in the middle of a stream is named, and what is known stays a lower bound', () => {
  const facts = readEvents('anthropic.messages', [
    start({ input_tokens: 40, output_tokens: 1 }),
    says('x'),
    { type: 'error', error: { type: 'overloaded_error', message: 'busy' } },
  ])
  assert.equal(facts.error, 'overloaded_error')
  assert.equal(facts.source, 'partial')
  const body429 = { type: 'error', error: { type: 'rate_limit_error' }, request_id: 'r' }
  const refused = readJson('anthropic.messages', body429)
  assert.equal(refused.error, 'rate_limit_error')
  assert.equal(refused.source, null)
  assert.deepEqual(refused.problems, [])
})

test('a very long list of iterations is added up by kind and model', () => {
  const iterations = Array.from({ length: 200 }, () => iteration('message', 2, 1))
  const facts = readJson(
    'anthropic.messages',
    body({ input_tokens: 400, output_tokens: 200, iterations }),
  )
  assert.deepEqual(countsOf(facts), [400, 0, 0, null, 200, null])
})
