import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { requestSegments, segmentBytes } from '../../../instrumentation/src/estimate/segments.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'

test('everything that a model reads of a chat is counted: instructions, calls, results, schemas', () => {
  const tools = [{ type: 'function', function: { name: 'search', parameters: { type: 'object' } } }]
  const { texts, extraTokens } = requestSegments('openai.chat', {
    messages: [
      { role: 'system', content: 'be brief' },
      {
        role: 'user',
        content: [{ type: 'text', text: 'look' }, image('data:image/png;base64,AAAA')],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'call_1', function: { name: 'search', arguments: '{"q":1}' } }],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'found' },
    ],
    tools,
    response_format: { type: 'json_object' },
  })
  assert.deepEqual(texts, [
    'system',
    'be brief',
    'user',
    'look',
    'assistant',
    'search',
    '{"q":1}',
    'tool',
    'found',
    JSON.stringify(tools),
    '{"type":"json_object"}',
  ])
  // 3 around each of four messages, 3 before the answer
  assert.equal(extraTokens, 15)
})

test('the other dialects too', () => {
  const anthropic = requestSegments('anthropic.messages', {
    system: [{ type: 'text', text: 'be brief' }],
    messages: [
      { role: 'assistant', content: [{ type: 'tool_use', id: 'x', name: 'f', input: { a: 1 } }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'x', content: [{ type: 'text', text: 'yes' }] },
          { type: 'image', source: { type: 'base64', data: 'AAAA' } },
        ],
      },
    ],
  })
  assert.deepEqual(anthropic.texts, ['be brief', 'assistant', 'f', '{"a":1}', 'user', 'yes'])
  const responses = requestSegments('openai.responses', {
    instructions: 'be brief',
    input: [
      { role: 'user', content: [{ type: 'input_text', text: 'hi' }] },
      { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'yes' },
    ],
  })
  assert.deepEqual(responses.texts, ['be brief', 'user', 'hi', 'f', '{}', 'yes'])
  assert.deepEqual(requestSegments('openai.responses', { input: 'hi' }).texts, ['hi'])
})

test('prompts come as texts or as token numbers', () => {
  const prompt = (value: unknown) => requestSegments('openai.completions', { prompt: value })
  assert.deepEqual(prompt('one'), { texts: ['one'], extraTokens: 0 })
  assert.deepEqual(prompt(['one', 'two']), { texts: ['one', 'two'], extraTokens: 0 })
  assert.deepEqual(prompt([5, 6, 7]), { texts: [], extraTokens: 3 })
  assert.deepEqual(prompt([[5, 6], [7]]), { texts: [], extraTokens: 3 })
  assert.deepEqual(requestSegments('openai.embeddings', { input: ['a'] }).texts, ['a'])
})

test('no body makes it throw, however it is built', () => {
  let deep: unknown = 'x'
  for (let n = 0; n < 5000; n++) deep = { content: [deep] }
  requestSegments('openai.chat', { messages: [deep] })
  const field = fc.constantFrom('messages', 'input', 'system', 'tools', 'prompt', 'text')
  const dialect = fc.constantFrom(
    'openai.chat',
    'openai.responses',
    'anthropic.messages',
    'openai.completions',
  )
  fc.assert(
    fc.property(dialect, fc.dictionary(field, fc.jsonValue()), (name, body) => {
      assert.ok(segmentBytes(requestSegments(name as 'openai.chat', body)) >= 0)
    }),
    { interruptAfterTimeLimit: FUZZ_MS / 2, numRuns: 100_000 },
  )
})

const image = (url: string) => ({ type: 'image_url', image_url: { url } })
