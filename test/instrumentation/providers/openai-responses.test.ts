import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countsOf, readEvents, readJson } from './response-support.ts'

const response = (status: string, more: object = {}) => ({
  id: 'resp_1',
  object: 'response',
  status,
  model: 'm-1',
  service_tier: 'auto',
  usage: null,
  ...more,
})
const event = (type: string, status: string, more: object = {}) => ({
  type: `response.${type}`,
  response: response(status, more),
})
const usage = (input: number, output: number, more: object = {}) => ({
  usage: { input_tokens: input, output_tokens: output, ...more },
})
const CREATED = event('created', 'in_progress')

test('usage comes with the last event, whether completed, incomplete or failed', () => {
  const cases: [string, object, string][] = [
    ['completed', {}, 'completed'],
    ['incomplete', { incomplete_details: { reason: 'max_output_tokens' } }, 'max_output_tokens'],
    ['failed', { error: { code: 'server_error', message: 'x' } }, 'failed'],
  ]
  for (const [type, more, finish] of cases) {
    const last = event(type, type, { ...usage(30, 20), service_tier: 'default', ...more })
    const facts = readEvents('openai.responses', [CREATED, last], { reason: 'aborted' })
    assert.deepEqual(countsOf(facts), [30, null, null, null, 20, null])
    assert.equal(facts.source, 'provider')
    assert.deepEqual(facts.finishReasons, [finish])
    assert.equal(facts.serviceTier, 'default')
    assert.equal(facts.error, type === 'failed' ? 'server_error' : null)
  }
})

test('a stream that breaks off has no usage, and the text of every delta for an estimate', () => {
  const facts = readEvents(
    'openai.responses',
    [
      CREATED,
      { type: 'response.output_text.delta', delta: 'Hi ' },
      { sequence_number: 4, type: 'response.output_text.delta', delta: 'there' },
      { type: 'response.function_call_arguments.delta', delta: '{"q":"x"}' },
      { type: 'response.audio.delta', delta: 'AAAA' },
      { type: 'response.output_text.done', text: 'Hi there' },
    ],
    { reason: 'failed' },
  )
  assert.equal(facts.source, null)
  assert.equal(facts.outputText, 'Hi there{"q":"x"}')
  assert.equal(facts.responseModel, 'm-1')
  assert.deepEqual(facts.finishReasons, [])
})

test('an event is read wherever in it the type stands', () => {
  const facts = readEvents('openai.responses', [
    { response: response('in_progress'), type: 'response.created' },
    { sequence_number: 9, ...event('completed', 'completed', usage(1, 2)) },
  ])
  assert.deepEqual(countsOf(facts), [1, null, null, null, 2, null])
})

test('a failure without usage is an error and no usage, and 0 that the provider gives is known', () => {
  const error = { type: 'error', error: { type: 'insufficient_quota', code: 'insufficient_quota' } }
  const failed = readEvents('openai.responses', [CREATED, error, event('failed', 'failed')])
  assert.equal(failed.error, 'insufficient_quota')
  assert.equal(failed.source, null)
  const flat = readEvents('openai.responses', [CREATED, { type: 'error', code: 'rate_limited' }])
  assert.equal(flat.error, 'rate_limited')
  const zero = readEvents('openai.responses', [event('completed', 'completed', usage(0, 0))])
  assert.deepEqual(countsOf(zero), [0, null, null, null, 0, null])
  assert.equal(zero.source, 'provider')
})

test('searches are those that the provider says it bills, else the calls that searched', () => {
  const output = [
    { type: 'web_search_call', status: 'completed', action: { type: 'search', query: 'a' } },
    { type: 'web_search_call', status: 'completed', action: { type: 'open_page' } },
    { type: 'web_search_call', status: 'completed', action: { type: 'find_in_page' } },
    { type: 'web_search_call', status: 'completed', name: 'web_search' },
    { type: 'file_search_call', status: 'completed' },
  ]
  const searches = (more: object) =>
    readJson('openai.responses', response('completed', { output, ...usage(1, 1), ...more }))
      .parts[0]?.webSearches
  assert.equal(searches({}), 2)
  assert.equal(searches({ tool_usage: { web_search: { num_requests: 1 } } }), 1)
  assert.equal(searches({ tool_usage: { web_search: { num_requests: 0 } } }), 0)
  assert.equal(searches({ tool_usage: { web_search: null } }), 2)
})

test('tokens of an image model that a tool used are named, as they are not priced', () => {
  const answer = response('completed', {
    ...usage(1, 1),
    tool_usage: { image_gen: { total_tokens: 4000 } },
  })
  assert.deepEqual(readJson('openai.responses', answer).problems, ['image_tokens_unpriced'])
})

test('a body that is not finished has no usage; a compacted conversation has usage and no status', () => {
  const queued = readJson('openai.responses', response('queued'))
  assert.equal(queued.source, null)
  assert.deepEqual(queued.finishReasons, [])
  const compacted = readJson('openai.responses', {
    id: 'c_1',
    object: 'response.compaction',
    output: [],
    ...usage(900, 80),
  })
  assert.deepEqual(countsOf(compacted), [900, null, null, null, 80, null])
  assert.equal(compacted.source, 'provider')
})

test('several whole responses in one stream are all charged', () => {
  const facts = readEvents('openai.responses', [
    CREATED,
    event('completed', 'completed', usage(10, 1)),
    event('created', 'in_progress', { id: 'resp_2', model: 'm-2' }),
    event('completed', 'completed', { id: 'resp_2', model: 'm-2', ...usage(20, 2) }),
  ])
  const charged = facts.parts.map(({ model, tokens }) => [model, tokens.input, tokens.output])
  assert.deepEqual(charged, [
    ['m-1', 10, 1],
    [null, 20, 2],
  ])
  assert.equal(facts.responseId, 'resp_2')
  assert.deepEqual(facts.problems, ['several_responses'])
})
