import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addTokens, type TokenCounts, UNKNOWN_TOKENS } from '@tokenfuse/protocol/names'
import {
  createResponseReader,
  type Dialect,
  type EndReason,
  type ResponseFacts,
} from '../../../instrumentation/src/providers/index.ts'
import { seededRandom } from '../../support/random.ts'
import { loadFolder, type RecordedResponse, sseBody } from '../../support/recordings.ts'
import { sharedPath } from '../../support/shared.ts'

/** Longer streams are cut at their first and last events and at every so many between. */
const ALL_CUT_UP_TO = 40

for (const provider of ['openai', 'anthropic'] as const) {
  test(`a stream of ${provider} that breaks off at any event is never more than the whole, nor 0`, (t) => {
    const folder = sharedPath(t, `fixtures/providers/${provider}`)
    if (!folder) return
    for (const answer of loadFolder(folder)) {
      if (answer.events.length === 0) continue
      const dialect = dialectOf(provider, answer)
      const whole = read(dialect, answer.body, 'complete')
      for (const count of cutsOf(answer.events.length)) {
        const cut = sseBody(answer.events.slice(0, count))
          .toString()
          .replace('data: [DONE]\n\n', '')
        for (const reason of ['aborted', 'failed', 'complete'] as const) {
          const facts = read(dialect, Buffer.from(cut), reason)
          assertLowerBound(facts, whole, `${answer.name} after ${count} events, ${reason}`)
        }
      }
    }
  })

  test(`a stream of ${provider} that breaks off at any byte is never more than the whole, nor 0`, (t) => {
    const folder = sharedPath(t, `fixtures/providers/${provider}`)
    if (!folder) return
    const random = seededRandom(3)
    for (const answer of loadFolder(folder)) {
      if (answer.events.length === 0) continue
      const dialect = dialectOf(provider, answer)
      const whole = read(dialect, answer.body, 'complete')
      for (let round = 0; round < 10; round += 1) {
        const length = Math.floor(random() * answer.body.length)
        const facts = read(dialect, answer.body.subarray(0, length), 'aborted')
        assertLowerBound(facts, whole, `${answer.name} after ${length} bytes`)
      }
    }
  })
}

function assertLowerBound(facts: ResponseFacts, whole: ResponseFacts, where: string): void {
  const known = sum(facts)
  const all = sum(whole)
  for (const field of ['input', 'output', 'cacheRead', 'cacheWrite', 'cacheWrite1h'] as const) {
    assert.ok((known[field] ?? 0) <= (all[field] ?? 0), `${where}: ${field} exceeds the whole`)
  }
  if (facts.source === 'provider') {
    assert.deepEqual(facts.parts, whole.parts, `${where}: claims to be final`)
    return
  }
  assert.equal(facts.source === null, facts.parts.length === 0, where)
  assert.notEqual(known.input, 0, `${where}: input 0 is not known`)
  assert.notEqual(known.output, 0, `${where}: output 0 is not known`)
}

function* cutsOf(length: number): Generator<number> {
  const step = Math.max(1, Math.floor(length / ALL_CUT_UP_TO))
  for (let count = 0; count <= length; count += 1) {
    if (count <= 10 || count >= length - 10 || count % step === 0) yield count
  }
}

function sum(facts: ResponseFacts): TokenCounts {
  return facts.parts.map(({ tokens }) => tokens).reduce(addTokens, UNKNOWN_TOKENS)
}

function dialectOf(provider: 'openai' | 'anthropic', { events }: RecordedResponse): Dialect {
  if (provider === 'anthropic') return 'anthropic.messages'
  const text = events.join('\n')
  if (text.includes('"text_completion"')) return 'openai.completions'
  return text.includes('"chat.completion.chunk"') ? 'openai.chat' : 'openai.responses'
}

function read(dialect: Dialect, body: Uint8Array, reason: EndReason): ResponseFacts {
  const reader = createResponseReader({ dialect, provider: 'any' }, 'text/event-stream')
  reader.push(body)
  return reader.end(reason)
}
