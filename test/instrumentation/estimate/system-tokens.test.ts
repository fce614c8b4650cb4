import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemTokens } from '../../../instrumentation/src/estimate/system-tokens.ts'

const share = (body: object, inputTokens: number | null = 100) =>
  systemTokens({ body: { ...body }, bodyLength: 1000 }, inputTokens)

test('the system prompt is measured wherever a dialect has it', () => {
  const text = 'x'.repeat(250)
  const user = { role: 'user', content: 'y'.repeat(600) }
  // 250 of 1,000 characters of a request of 100 tokens.
  for (const body of [
    { messages: [{ role: 'system', content: text }, user] },
    { messages: [{ role: 'developer', content: [{ type: 'text', text }] }, user] },
    { system: text, messages: [user] },
    { system: [{ type: 'text', text: text.slice(50) }, { text: 'x'.repeat(50) }], messages: [] },
    { instructions: text, input: 'y' },
    { input: [{ role: 'system', content: [{ type: 'input_text', text }] }] },
    { instructions: text.slice(100), input: [{ role: 'developer', content: 'x'.repeat(100) }] },
  ]) {
    assert.equal(share(body), 25, JSON.stringify(Object.keys(body)))
  }
  assert.equal(share({ messages: [user] }), 0)
})

test('it is never more than was read, and unknown where that is, or where the request could not be read', () => {
  assert.equal(share({ system: 'x'.repeat(5000) }), 100)
  assert.equal(share({ system: 'x' }, null), null)
  assert.equal(systemTokens({ body: null, bodyLength: 0 }, 100), null)
})

test('what is no request as dialects have them is not stumbled over', () => {
  for (const body of [
    { messages: 'text' },
    { messages: [null, 5, { role: 'system' }, { role: 'system', content: [null, { text: 7 }] }] },
    { system: { a: 1 }, input: {} },
  ]) {
    assert.equal(share(body), 0)
  }
})
