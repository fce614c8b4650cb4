import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchEndpoint, readRequest } from '@tokenfuse/instrumentation/providers'
import { createToolHasher } from '../../../instrumentation/src/tools/tool-keys.ts'
import type { ToolHasher, ToolKeys } from '../../../instrumentation/src/tools/tool-keys.ts'

const CHAT = 'https://api.openai.com/v1/chat/completions'
const RESPONSES = 'https://api.openai.com/v1/responses'
const MESSAGES = 'https://api.anthropic.com/v1/messages'
const hasher = createToolHasher(() => 'token')

function keys(url: string, body: unknown, hash: ToolHasher = hasher): ToolKeys {
  const endpoint = matchEndpoint('POST', new URL(url), [])
  assert.ok(endpoint)
  return hash(endpoint, readRequest(endpoint, JSON.stringify(body)))
}

const call = (id: string, args: string) => ({
  id,
  type: 'function',
  function: { name: 'search', arguments: args },
})
const user = { role: 'user', content: 'find it' }
const turn = (id: string, args: string, result: string) => [
  { role: 'assistant', content: null, tool_calls: [call(id, args)] },
  { role: 'tool', tool_call_id: id, content: result },
]
const chat = (...turns: object[][]) => ({ messages: [user, ...turns.flat()] })

test('the same call has the same key in every process that has the token, and another in any other', () => {
  const body = chat(turn('call_1', '{"q":"x","n":1}', 'found at 10:00'))
  const later = chat(turn('call_2', '{ "n": 1, "q": "x" }', 'found at 11:30'))
  assert.deepEqual(keys(CHAT, later), keys(CHAT, body))
  assert.deepEqual(
    keys(
      CHAT,
      body,
      createToolHasher(() => 'token'),
    ),
    keys(CHAT, body),
  )
  for (const other of [() => 'other token', () => null]) {
    assert.notDeepEqual(keys(CHAT, body, createToolHasher(other)), keys(CHAT, body))
  }
  assert.match(keys(CHAT, body).calls.join(), /^[0-9a-f]{16}$/)
})

test('each dialect gives the same key to the same call and result', () => {
  const args = { q: 'x' }
  const text = JSON.stringify(args)
  const expected = keys(CHAT, chat(turn('c', text, 'none')))
  assert.deepEqual([expected.calls.length, expected.results.length], [1, 1])
  const responses = {
    input: [
      user,
      { type: 'reasoning', id: 'r', summary: [] },
      { type: 'function_call', call_id: 'c', name: 'search', arguments: text },
      { type: 'function_call_output', call_id: 'c', output: 'none' },
    ],
  }
  const messages = {
    messages: [
      user,
      { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'search', input: args }] },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'c', content: [{ type: 'text', text: 'none' }] },
        ],
      },
    ],
  }
  assert.deepEqual(keys(RESPONSES, responses), expected)
  assert.deepEqual(keys(MESSAGES, messages), expected)
})

test('a call is told of by the first request that carries it, and not by those that repeat it', () => {
  const one = turn('c1', '{"q":1}', 'first')
  const two = turn('c2', '{"q":2}', 'second')
  const conversation = keys(CHAT, chat(one, two))
  assert.deepEqual(conversation, keys(CHAT, chat(two)))
  const answered = [{ role: 'assistant', content: 'done' }, user]
  assert.deepEqual(keys(CHAT, chat(one, two, answered)), { calls: [], results: [] })
})

test('calls made side by side belong to one turn', () => {
  const parallel = [
    { role: 'assistant', tool_calls: [call('a', '{"q":1}'), call('b', '{"q":2}')] },
    { role: 'tool', tool_call_id: 'a', content: 'A' },
    { role: 'tool', tool_call_id: 'b', content: 'B' },
  ]
  const { calls, results } = keys(CHAT, chat(turn('c', '{}', 'C'), parallel))
  assert.deepEqual([new Set(calls).size, new Set(results).size], [2, 2])
})

test('results of a conversation that the provider keeps come without their calls', () => {
  const body = {
    previous_response_id: 'resp_1',
    input: [{ type: 'function_call_output', call_id: 'c', output: 'none' }],
  }
  const { calls, results } = keys(RESPONSES, body)
  assert.deepEqual([calls.length, results.length], [0, 1])
})

test('many calls and long contents are bounded, and still told apart', () => {
  const long = (end: string) =>
    chat(turn('c', JSON.stringify({ q: 'x'.repeat(200_000) + end }), 'r'))
  const many = {
    messages: [
      user,
      {
        role: 'assistant',
        tool_calls: Array.from({ length: 100 }, (_, n) => call(`${n}`, `[${n}]`)),
      },
    ],
  }
  assert.equal(keys(CHAT, many).calls.length, 32)
  assert.notDeepEqual(keys(CHAT, long('')), keys(CHAT, long('longer')))
})
