import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { asking, collect, entryOf, useProvider, WEATHER_SCHEMA } from './clients.ts'

const fixture = useProvider()
const ASK = { model: 'gpt-4o', input: 'Say something about the sea.' }

test('whole and streamed answers are the same, and both always carry usage', async () => {
  const { openai, provider } = fixture()
  const whole = await openai.responses.create(ASK, asking({ label: 'whole' }))
  const stream = openai.responses.stream(ASK, asking({ label: 'streamed' }))
  const streamed = await stream.finalResponse()
  assert.equal(streamed.output_text, whole.output_text)
  assert.equal(countTokens(whole.output_text), whole.usage?.output_tokens)
  for (const [label, answer] of [
    ['whole', whole],
    ['streamed', streamed],
  ] as const) {
    const entry = await entryOf(provider, label)
    assert.equal(answer.id, entry.responseId)
    assert.equal(answer.usage?.input_tokens, entry.tokens.input)
    assert.equal(answer.usage?.output_tokens, entry.tokens.output)
    assert.equal(entry.usageSent, true)
  }
})

test('a limit is kept to the token and ends the stream as incomplete', async () => {
  const { openai } = fixture()
  const ask = { ...ASK, max_output_tokens: 16 }
  const script = asking({ reply: { output: 300 } })
  const events = await collect(openai.responses.stream(ask, script))
  const last = events.at(-1)
  assert.ok(last?.type === 'response.incomplete')
  assert.equal(last.response.usage?.output_tokens, 16)
  assert.equal(last.response.incomplete_details?.reason, 'max_output_tokens')
  await assert.rejects(openai.responses.create({ ...ASK, max_output_tokens: 15 }), {
    status: 400,
    code: 'integer_below_min_value',
  })
})

test('reasoning is part of the output', async () => {
  const { openai } = fixture()
  const answer = await openai.responses.create({ ...ASK, model: 'o4-mini' })
  const reasoning = answer.usage?.output_tokens_details.reasoning_tokens ?? 0
  assert.ok(reasoning > 0)
  assert.equal(answer.usage?.output_tokens, reasoning + countTokens(answer.output_text))
})

test('functions are called with arguments of their schema, whole and streamed', async () => {
  const { openai } = fixture()
  const tool = {
    type: 'function' as const,
    name: 'weather',
    parameters: WEATHER_SCHEMA,
    strict: true,
  }
  const ask = { ...ASK, tools: [tool], tool_choice: 'required' as const }
  const whole = await openai.responses.create(ask)
  const streamed = await openai.responses.stream(ask).finalResponse()
  for (const answer of [whole, streamed]) {
    const call = answer.output[0]
    assert.ok(call?.type === 'function_call')
    assert.equal(typeof (JSON.parse(call.arguments) as Record<string, unknown>)['city'], 'string')
  }
})

test('a request that goes on from an earlier response pays for all of it again', async () => {
  const { openai } = fixture()
  const first = await openai.responses.create(ASK)
  const next = { model: 'gpt-4o', input: 'And more.', previous_response_id: first.id }
  const second = await openai.responses.create(next)
  const alone = await openai.responses.create({ model: 'gpt-4o', input: 'And more.' })
  const earlier = (first.usage?.input_tokens ?? 0) + (first.usage?.output_tokens ?? 0)
  // The frame of four around the request is paid once.
  assert.equal(second.usage?.input_tokens, (alone.usage?.input_tokens ?? 0) + earlier - 4)
})
