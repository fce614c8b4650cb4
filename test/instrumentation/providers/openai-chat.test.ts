import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countsOf, readEvents, readJson } from './response-support.ts'

const chunk = (choices: unknown[], more: object = {}) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  model: 'm-1',
  choices,
  ...more,
})
const says = (content: string, index = 0, more: object = {}) =>
  chunk([{ index, delta: { content }, finish_reason: null }], more)
const stops = (reason: string, index = 0, more: object = {}) =>
  chunk([{ index, delta: {}, finish_reason: reason }], more)
const usage = (prompt: number, completion: number, more: object = {}) => ({
  usage: { prompt_tokens: prompt, completion_tokens: completion, ...more },
})
const body = (of: object) => ({
  id: 'c',
  object: 'chat.completion',
  model: 'm',
  choices: [],
  ...of,
})

test('a stream without usage has no usage, and the text of all its choices and tools for an estimate', () => {
  const facts = readEvents('openai.chat', [
    says('Hello "'),
    says('w\u00f6rld\\ \u{1f600}', 1),
    chunk([
      {
        index: 0,
        delta: { tool_calls: [{ index: 0, function: { name: 'f', arguments: '{"a":' } }] },
      },
    ]),
    chunk([{ index: 0, delta: { tool_calls: [{ index: 0, function: { arguments: '1}' } }] } }]),
    chunk([{ index: 1, delta: { content: '', reasoning: 'because' } }]),
    stops('tool_calls'),
    stops('stop', 1),
  ])
  assert.equal(facts.source, null)
  assert.deepEqual(facts.parts, [])
  assert.equal(facts.outputText, 'Hello "w\u00f6rld\\ \u{1f600}{"a":1}because')
  assert.deepEqual(facts.finishReasons, ['tool_calls', 'stop'])
  assert.deepEqual(facts.problems, ['usage_missing'])
  assert.equal(facts.responseModel, 'm-1')
})

test('the last number for a field wins, and null or a missing field erases none', () => {
  const facts = readEvents('openai.chat', [
    says('a', 0, usage(10, 1, { prompt_tokens_details: { cached_tokens: 4 } })),
    says('b', 0, { usage: null }),
    stops('stop', 0, { usage: { prompt_tokens: 9, completion_tokens: null } }),
    chunk([], { usage: { completion_tokens: 7, prompt_tokens_details: null } }),
  ])
  assert.deepEqual(countsOf(facts), [9, 4, null, null, 7, null])
  assert.equal(facts.source, 'provider')
})

test('a running count of a stream that breaks off is a lower bound; after the finish it is final', () => {
  const running = [says('a', 0, usage(10, 1)), says('b', 0, usage(10, 2))]
  const aborted = readEvents('openai.chat', running, { reason: 'aborted' })
  assert.equal(aborted.source, 'partial')
  assert.deepEqual(countsOf(aborted), [10, null, null, null, 2, null])
  assert.equal(aborted.outputText, 'ab')
  const finished = [...running, stops('stop', 0, usage(10, 3))]
  assert.equal(readEvents('openai.chat', finished, { reason: 'aborted' }).source, 'provider')
})

test('usage on an event without choices is the last word, even if the stream then breaks', () => {
  const events = [says('a'), chunk([], usage(1, 2))]
  const facts = readEvents('openai.chat', events, { reason: 'aborted' })
  assert.equal(facts.source, 'provider')
  assert.equal(facts.outputText, '')
})

test('details may be null, flat, or under the names of other providers', () => {
  const cases: [object, (number | null)[]][] = [
    [
      { prompt_tokens_details: null, completion_tokens_details: null, reasoning_tokens: 3 },
      [20, null, null, null, 9, 3],
    ],
    [{ num_cached_tokens: 8 }, [20, 8, null, null, 9, null]],
    [{ prompt_cache_hit_tokens: 5, prompt_cache_miss_tokens: 15 }, [20, 5, null, null, 9, null]],
    [
      { prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 6 } },
      [20, 4, 6, null, 9, null],
    ],
  ]
  for (const [details, expected] of cases) {
    const facts = readJson('openai.chat', body(usage(20, 9, details)))
    assert.deepEqual(countsOf(facts), expected)
    assert.deepEqual(facts.problems, [])
  }
})

test('numbers that are given twice on one event are counted once', () => {
  const { usage: numbers } = usage(17, 11)
  const facts = readEvents('openai.chat', [
    stops('stop', 0, { x_groq: { id: 'r', usage: numbers }, usage: numbers }),
  ])
  assert.deepEqual(countsOf(facts), [17, null, null, null, 11, null])
  const alone = readEvents('openai.chat', [stops('stop', 0, { x_groq: { usage: numbers } })])
  assert.deepEqual(countsOf(alone), [17, null, null, null, 11, null])
})

test('a provider that counts reasoning apart is read so, by its name or by its total', () => {
  const details = { completion_tokens_details: { reasoning_tokens: 228 } }
  const apart = body(usage(12, 1, { total_tokens: 241, ...details }))
  const byName = readJson('openai.chat', body(usage(12, 1, details)), { provider: 'x_ai' })
  for (const facts of [byName, readJson('openai.chat', apart)]) {
    assert.deepEqual(countsOf(facts), [12, null, null, null, 229, 228])
    assert.deepEqual(facts.problems, [])
  }
})

test('a cached count above the input was not part of it at xAI, and is a contradiction elsewhere', () => {
  const answer = body(usage(10, 1, { prompt_tokens_details: { cached_tokens: 30 } }))
  const apart = readJson('openai.chat', answer, { provider: 'x_ai' })
  assert.deepEqual(countsOf(apart), [40, 30, null, null, 1, null])
  assert.deepEqual(apart.problems, [])
  const wrong = readJson('openai.chat', answer)
  assert.deepEqual(countsOf(wrong), [30, 30, null, null, 1, null])
  assert.deepEqual(wrong.problems, ['cache_exceeds_input'])
})

test('counts that cannot be are left out and named; the others are kept', () => {
  const cases: [object, (number | null)[] | null, string][] = [
    [usage(5, -1), [5, null, null, null, null, null], 'token_count_negative'],
    [usage(5, 1.5), [5, null, null, null, null, null], 'token_count_not_whole'],
    [usage(1e300, 2), [null, null, null, null, 2, null], 'token_count_absurd'],
    [
      { usage: { prompt_tokens: '7', completion_tokens: 2 } },
      [null, null, null, null, 2, null],
      'token_count_not_a_number',
    ],
    [usage(5, 2, { total_tokens: 9 }), [5, null, null, null, 2, null], 'total_mismatch'],
    [
      usage(5, 2, { completion_tokens_details: { reasoning_tokens: 3 } }),
      [5, null, null, null, 2, 2],
      'reasoning_exceeds_output',
    ],
    [{ usage: [] }, null, 'usage_missing'],
    [{ usage: { prompt_tokens: null } }, null, 'usage_missing'],
  ]
  for (const [wrong, expected, problem] of cases) {
    const facts = readJson('openai.chat', body(wrong))
    assert.deepEqual(countsOf(facts), expected, problem)
    assert.deepEqual(facts.problems, [problem])
  }
})

test('embeddings have no output where the total says so, and an unknown one where nothing does', () => {
  const embedding = (numbers: object) =>
    readJson('openai.embeddings', { object: 'list', data: [], model: 'e', usage: numbers })
  const known = embedding({ prompt_tokens: 12, total_tokens: 12 })
  assert.deepEqual(countsOf(known), [12, null, null, null, 0, null])
  const unknown = embedding({ prompt_tokens: 12 })
  assert.deepEqual(countsOf(unknown), [12, null, null, null, null, null])
})

test('an error in the middle of a stream is named, and what was said until then is kept', () => {
  const error = { error: { message: 'overloaded', type: 'server_error', code: null } }
  const facts = readEvents('openai.chat', [says('part'), error])
  assert.equal(facts.error, 'server_error')
  assert.equal(facts.source, null)
  assert.equal(facts.outputText, 'part')
  assert.deepEqual(facts.problems, [])
})

test('errors are named by code, then by type, in each of their shapes', () => {
  const cases: [unknown, string][] = [
    [{ error: { type: 't', code: 'c' } }, 'c'],
    [{ error: { type: 't', code: null } }, 't'],
    [{ error: { code: 429, status: 'RESOURCE_EXHAUSTED' } }, '429'],
    [{ error: 'model not found' }, 'model not found'],
    [{ error: {} }, 'error'],
    [{ object: 'error', message: 'no', type: 'BadRequestError', code: 400 }, 'BadRequestError'],
  ]
  for (const [answer, name] of cases) {
    const facts = readJson('openai.chat', answer)
    assert.equal(facts.error, name)
    assert.equal(facts.source, null)
  }
})

test('a body without usage gives its text for an estimate', () => {
  const choices = [
    { index: 0, message: { content: 'one' } },
    { index: 1, message: { content: 'two' } },
  ]
  const facts = readJson('openai.chat', body({ choices }))
  assert.equal(facts.source, null)
  assert.equal(facts.outputText, 'onetwo')
})
