import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { parseStreamMessage } from '../../../instrumentation/src/control/stream-message.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'

test('no text makes the reader of messages throw, and what it lets through has a known type', () => {
  const named = fc
    .record({
      type: fc.constantFrom('policy', 'decision', 'decisions', 'credit', 'recall', '__proto__'),
      version: fc.oneof(fc.integer(), fc.jsonValue()),
      budgets: fc.jsonValue(),
      decision: fc.jsonValue(),
      decisions: fc.array(fc.jsonValue()),
      accounts: fc.array(fc.record({ budget: fc.string(), scope: fc.jsonValue() })),
    })
    .map((message) => JSON.stringify(message))
  fc.assert(
    fc.property(fc.oneof(named, fc.json(), fc.string()), (text) => {
      const message = parseStreamMessage(text)
      if (message === null) return
      assert.ok(['policy', 'decision', 'decisions', 'credit', 'recall'].includes(message.type))
      if (message.type === 'recall') {
        for (const { budget, scope } of message.accounts) {
          assert.equal(typeof budget, 'string')
          assert.equal(typeof scope, 'string')
        }
      }
    }),
    { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_MS / 4 },
  )
})
