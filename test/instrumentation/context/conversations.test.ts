import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Conversations } from '../../../instrumentation/src/context/conversations.ts'
import { newTraceId } from '../../../instrumentation/src/context/trace-ids.ts'
import { readRequest } from '../../../instrumentation/src/providers/index.ts'
import { matchEndpoint } from '../../../instrumentation/src/providers/index.ts'

function facts(path: string, body: object) {
  const host = path === '/v1/messages' ? 'api.anthropic.com' : 'api.openai.com'
  const endpoint = matchEndpoint('POST', new URL(`https://${host}${path}`), [])
  assert.ok(endpoint)
  return readRequest(endpoint, JSON.stringify(body))
}

const toolCall = (id: string, name = 'search') => ({
  role: 'assistant',
  tool_calls: [{ id, type: 'function', function: { name, arguments: '{}' } }],
})
const chat = (...ids: string[]) =>
  facts('/v1/chat/completions', { messages: ids.map((id) => toolCall(id)) })

/** The trace that each of some requests comes into, as the number of the first request in it. */
function tracesOf(requests: readonly ReturnType<typeof facts>[]): number[] {
  const conversations = new Conversations()
  const numbers = new Map<string, number>()
  return requests.map((request) => {
    const { traceId } = conversations.placeOf(
      { traceId: newTraceId(), parentSpanId: null },
      request,
    )
    const number = numbers.get(traceId) ?? numbers.size
    numbers.set(traceId, number)
    return number
  })
}

test('requests that carry a tool call of one another are of one trace, also where their beginning was left out', () => {
  const [a, b, c, other] = ['call_aaaaaaaa', 'call_bbbbbbbb', 'call_cccccccc', 'call_dddddddd']
  assert.deepEqual(
    tracesOf([chat(a), chat(other), chat(a, b), chat(a, b, c), chat(c), chat(other)]),
    [0, 1, 0, 0, 0, 1],
  )
})

test('a conversation longer than what is looked at stays one', () => {
  const ids = Array.from({ length: 200 }, (_, at) => `call_number_${at}`)
  const requests = [1, 20, 40, 100, 200].map((count) => chat(...ids.slice(0, count)))
  const last = chat(...ids.slice(150), 'call_one_more')
  assert.deepEqual(tracesOf([...requests, last]), [0, 0, 0, 0, 0, 0])
})

test('tool uses of Anthropic and items of responses tell it, too', () => {
  const messages = (id: string) => {
    const content = [{ type: 'tool_use', id, name: 'search', input: {} }]
    return facts('/v1/messages', { messages: [{ role: 'assistant', content }] })
  }
  const responses = (id: string) => {
    const item = { type: 'function_call', call_id: id, name: 'search', arguments: '{}' }
    return facts('/v1/responses', { input: [item] })
  }
  assert.deepEqual(tracesOf([messages('toolu_0123'), messages('toolu_0123')]), [0, 0])
  assert.deepEqual(tracesOf([responses('call_0123'), responses('call_0123')]), [0, 0])
})

test('a response that is gone on from by its id is of the trace of the first', () => {
  const conversations = new Conversations()
  const place = (request: ReturnType<typeof facts>) =>
    conversations.placeOf({ traceId: newTraceId(), parentSpanId: null }, request).traceId
  const first = place(facts('/v1/responses', { input: 'hi' }))
  conversations.answered({ traceId: first, responseId: 'resp_1' })
  const next = facts('/v1/responses', { previous_response_id: 'resp_1', input: [] })
  assert.equal(place(next), first)
  conversations.answered({ traceId: first, responseId: 'resp_2' })
  assert.equal(place(facts('/v1/responses', { previous_response_id: 'resp_2', input: [] })), first)
})

test('what tells nothing keeps calls apart: no tools, ids that are counted up, names in place of ids', () => {
  const none = facts('/v1/chat/completions', { messages: [{ role: 'user', content: 'hi' }] })
  const legacy = facts('/v1/chat/completions', {
    messages: [{ role: 'assistant', function_call: { name: 'search_the_web', arguments: '{}' } }],
  })
  assert.deepEqual(
    tracesOf([none, none, chat('call_0'), chat('call_0'), legacy, legacy]),
    [0, 1, 2, 3, 4, 5],
  )
})

test('of more conversations than are remembered the one unused longest begins anew', () => {
  const ids = Array.from({ length: 10_001 }, (_, at) => chat(`call_number_${at}`))
  const [first = chat(), second = chat()] = ids
  const traces = tracesOf([...ids.slice(0, 10_000), first, ids[10_000] ?? first, first, second])
  assert.deepEqual(traces.slice(-4), [0, 10_000, 0, 10_001])
})
