import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Dialect,
  readRequest,
  type RequestFacts,
  withMember,
  withUsageAsked,
} from '../../../instrumentation/src/providers/index.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'

/** Two properties share the time of one. */
const FUZZ = {
  numRuns: 1_000_000,
  interruptAfterTimeLimit: FUZZ_MS / 2,
  markInterruptAsFailure: false,
}

function read(dialect: Dialect, body: unknown, modelInPath: string | null = null): RequestFacts {
  return readRequest({ dialect, modelInPath }, JSON.stringify(body))
}

test('model, stream and output limit are read in each dialect', () => {
  const rows: [Dialect, object, number | null, number][] = [
    ['openai.chat', { max_tokens: 10 }, 10, 1],
    ['openai.chat', { max_tokens: 10, max_completion_tokens: 20, n: 3 }, 20, 3],
    ['openai.responses', { max_output_tokens: 30, max_tokens: 1, n: 9 }, 30, 1],
    ['openai.completions', { max_tokens: 5, n: 2, best_of: 4, prompt: ['a', 'b', 'c'] }, 5, 12],
    ['openai.completions', { prompt: [1, 2, 3] }, null, 1],
    ['openai.embeddings', { max_tokens: 5 }, null, 1],
    ['anthropic.messages', { max_tokens: 1024 }, 1024, 1],
    ['openai.chat', { max_tokens: '10', n: 0 }, null, 1],
    ['openai.chat', { max_tokens: -1, n: 1.5 }, null, 1],
  ]
  for (const [dialect, body, maxOutputTokens, choices] of rows) {
    const facts = read(dialect, { model: 'm', stream: true, ...body })
    assert.equal(facts.model, 'm')
    assert.equal(facts.stream, true)
    assert.equal(facts.maxOutputTokens, maxOutputTokens, JSON.stringify(body))
    assert.equal(facts.choices, choices, JSON.stringify(body))
  }
})

test('the model is that of the body, else that of the address, else unknown', () => {
  assert.equal(read('openai.chat', { model: 'a' }, 'b').model, 'a')
  assert.equal(read('openai.chat', {}, 'b').model, 'b')
  assert.equal(read('openai.chat', { model: 7 }).model, 'unknown')
})

test('tool calls and results of a chat are read in order, in every form', () => {
  const facts = read('openai.chat', {
    messages: [
      { role: 'system', content: 'x' },
      {
        role: 'assistant',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'look', arguments: '{"q":1}' } },
          { id: 'c2', type: 'custom', custom: { name: 'run', input: 'ls' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'found' },
      {
        role: 'tool',
        tool_call_id: 'c2',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
      { role: 'assistant', function_call: { name: 'old', arguments: '{}' } },
      { role: 'function', name: 'old', content: 'done' },
      { role: 'user', content: 'go on' },
    ],
  })
  assert.deepEqual(facts.toolCalls, [
    { id: 'c1', name: 'look', arguments: '{"q":1}' },
    { id: 'c2', name: 'run', arguments: 'ls' },
    { id: 'old', name: 'old', arguments: '{}' },
  ])
  assert.deepEqual(facts.toolResults, [
    { id: 'c1', content: 'found', isError: false },
    { id: 'c2', content: 'ab', isError: false },
    { id: 'old', content: 'done', isError: false },
  ])
})

test('tool calls and results among the items of the responses endpoint are read in order', () => {
  const facts = read('openai.responses', {
    input: [
      { role: 'user', content: 'hi' },
      { type: 'reasoning', id: 'rs_1' },
      { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'found' },
      { type: 'custom_tool_call', call_id: 'c2', name: 'run', input: 'ls' },
      {
        type: 'custom_tool_call_output',
        call_id: 'c2',
        output: [{ type: 'input_text', text: 'a' }],
      },
      { type: 'local_shell_call', call_id: 'c3', action: { type: 'exec', command: ['ls'] } },
      { type: 'local_shell_call_output', call_id: 'c3', output: { stdout: 'x' } },
      { type: 'web_search_call', id: 'ws_1', action: { type: 'search' } },
    ],
  })
  assert.deepEqual(facts.toolCalls, [
    { id: 'c1', name: 'look', arguments: '{}' },
    { id: 'c2', name: 'run', arguments: 'ls' },
    { id: 'c3', name: 'local_shell_call', arguments: '{"type":"exec","command":["ls"]}' },
  ])
  assert.deepEqual(facts.toolResults, [
    { id: 'c1', content: 'found', isError: false },
    { id: 'c2', content: 'a', isError: false },
    { id: 'c3', content: '{"stdout":"x"}', isError: false },
  ])
  assert.deepEqual(read('openai.responses', { input: 'just text' }).toolCalls, [])
})

test('tool calls and results of messages are read in order, with their errors', () => {
  const image = { type: 'image', source: { type: 'base64', data: 'AA' } }
  const facts = read('anthropic.messages', {
    messages: [
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'well' },
          { type: 'tool_use', id: 't1', name: 'look', input: { q: [1] } },
          { type: 'tool_use', id: 't2', name: 'now', input: {} },
          { type: 'server_tool_use', id: 's1', name: 'web_search', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't1', content: [{ type: 'text', text: 'a' }, image] },
          { type: 'tool_result', tool_use_id: 't2', content: 'no clock', is_error: true },
          { type: 'tool_result', tool_use_id: 't3' },
        ],
      },
    ],
  })
  assert.deepEqual(facts.toolCalls, [
    { id: 't1', name: 'look', arguments: '{"q":[1]}' },
    { id: 't2', name: 'now', arguments: '{}' },
  ])
  assert.deepEqual(facts.toolResults, [
    { id: 't1', content: `a${JSON.stringify(image)}`, isError: false },
    { id: 't2', content: 'no clock', isError: true },
    { id: 't3', content: '', isError: false },
  ])
})

test('what is no JSON object reads as an empty request, and nothing throws', () => {
  for (const text of ['', '[]', '"x"', '{', 'null', '--boundary']) {
    const facts = readRequest({ dialect: 'openai.chat', modelInPath: null }, text)
    assert.equal(facts.body, null)
    assert.equal(facts.model, 'unknown')
    assert.equal(withUsageAsked(text, facts), text)
  }
  const deep = `{"messages":[{"content":[{"type":"tool_use","input":${'['.repeat(20_000)}${']'.repeat(20_000)}}]}]}`
  const facts = readRequest({ dialect: 'anthropic.messages', modelInPath: null }, deep)
  assert.equal(facts.toolCalls.length, 1)
})

const dialects: readonly Dialect[] = [
  'openai.chat',
  'openai.responses',
  'openai.completions',
  'openai.embeddings',
  'anthropic.messages',
]
const member = fc.constantFrom(
  ...['messages', 'input', 'content', 'tool_calls', 'function', 'type', 'role', 'call_id', 'id'],
  ...['model', 'stream_options', 'include_usage', 'n', 'prompt', 'output', 'function_call'],
)
const { body: anyBody } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(
      'tool',
      'tool_use',
      'tool_result',
      'function_call',
      'x_call_output',
      1,
      null,
      true,
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(member, tie('value'), { maxKeys: 5 }),
  ),
  body: fc.dictionary(member, tie('value')),
}))

test('no JSON makes the reading of a request throw', () => {
  fc.assert(
    fc.property(fc.constantFrom(...dialects), anyBody, (dialect, body) => {
      const facts = read(dialect, body)
      assert.equal(typeof facts.model, 'string')
      for (const { id, name, arguments: argument } of facts.toolCalls) {
        assert.deepEqual([typeof id, typeof name, typeof argument], ['string', 'string', 'string'])
      }
      for (const result of facts.toolResults) assert.equal(typeof result.content, 'string')
    }),
    FUZZ,
  )
})

test('usage is asked for with every other character of the body as it was', () => {
  const ask = (text: string) =>
    withUsageAsked(text, readRequest({ dialect: 'openai.chat', modelInPath: null }, text))
  const asked = '"stream_options":{"include_usage":true}'
  const rows: [string, string][] = [
    ['{"seed":12345678901234567890}', `{${asked},"seed":12345678901234567890}`],
    [' { "a" : 1.0 } ', ` {${asked}, "a" : 1.0 } `],
    ['{}', `{${asked}}`],
    ['{"stream_options":null,"a":1}', `{${asked},"a":1}`],
    [
      '{"a":[{"stream_options":1}],"stream_options" : {"include_obfuscation":false, "include_usage":false} ,"b":"}"}',
      '{"a":[{"stream_options":1}],"stream_options" : {"include_obfuscation":false,"include_usage":true} ,"b":"}"}',
    ],
  ]
  for (const [before, after] of rows) assert.equal(ask(before), after)
  const own = '{"stream":true, "stream_options":{"include_usage":true, "x":1}}'
  assert.equal(ask(own), own)
})

test('setting a member of any object changes that member alone', () => {
  const space = fc.constantFrom('', ' ', '\n\t')
  // After an object with a member whose name ends in a backslash, V8 13.6 reads the name `"` of another as that one.
  const names = fc
    .oneof(fc.constantFrom('n', 'max"_', '\\n'), fc.string())
    .filter((name) => !name.endsWith('\\'))
  fc.assert(
    fc.property(
      fc.dictionary(names, fc.jsonValue({ stringUnit: names })),
      names,
      fc.jsonValue(),
      space,
      (members, name, value, gap) => {
        const text = gap + JSON.stringify(members, null, gap) + gap
        const changed = JSON.parse(withMember(text, name, JSON.stringify(value)))
        const written = JSON.parse(JSON.stringify(value))
        assert.deepEqual(
          Object.entries(changed).sort(byName),
          [
            ...Object.entries(JSON.parse(text)).filter(([known]) => known !== name),
            [name, written],
          ].sort(byName),
        )
      },
    ),
    FUZZ,
  )
})

function byName([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1
}

test('of members with one name the last is set, as it is the one that counts', () => {
  assert.equal(withMember('{"n":1,"\\u006e":2}', 'n', '3'), '{"n":1,"\\u006e":3}')
})

test('setting a member of a text that is no JSON comes to an end', () => {
  for (const text of ['{"a":"x', '{"a":["x', '{"a":{"b":', '{"a"', '', '[1]', '{"a":1 "b":2}']) {
    try {
      withMember(text, 'n', '1')
    } catch (error) {
      assert.ok(error instanceof SyntaxError)
    }
  }
})
