import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createResponseReader,
  type Dialect,
  type ResponseFacts,
} from '../../../instrumentation/src/providers/index.ts'
import { cutRandomly, seededRandom } from '../../support/random.ts'
import { loadRecording, recordingNames, sseBody } from '../../support/recordings.ts'
import { sharedPath } from '../../support/shared.ts'
import { ANTHROPIC_FORMS, type NormalForm, OPENAI_FORMS, OTHER_RECORDINGS } from './normal-forms.ts'
import { answers, dialectOf } from './recorded-answers.ts'

const FOLDERS = [
  { provider: 'openai', forms: OPENAI_FORMS },
  { provider: 'anthropic', forms: ANTHROPIC_FORMS },
] as const
const CUTS_PER_ANSWER = 12

for (const { provider, forms } of FOLDERS) {
  test(`every recording of ${provider} has a written expectation`, (t) => {
    const folder = sharedPath(t, `fixtures/providers/${provider}`)
    if (!folder) return
    const other = Object.keys(OTHER_RECORDINGS)
      .filter((path) => path.startsWith(`${provider}/`))
      .map((path) => path.slice(provider.length + 1))
    assert.deepEqual([...Object.keys(forms), ...other].sort(), recordingNames(folder))
  })

  test(`every recorded answer of ${provider} reads as written by hand, however its bytes are cut`, (t) => {
    const random = seededRandom(1)
    for (const { answer, expected } of answers(t, provider, forms)) {
      for (let round = 0; round < CUTS_PER_ANSWER; round += 1) {
        const pieces = cutRandomly(answer.body, random)
        const facts = read(dialectOf(provider, answer), answer.contentType, pieces)
        assert.deepEqual(formOf(facts), expected, `${answer.name}, round ${round}`)
        if (expected.source === 'provider') assert.equal(facts.outputText, '', answer.name)
      }
    }
  })

  test(`a stream of ${provider} reads the same byte by byte, with CRLF, and without a last blank line`, (t) => {
    for (const { answer, expected } of answers(t, provider, forms)) {
      if (answer.events.length === 0 || answer.body.length > 60_000) continue
      const dialect = dialectOf(provider, answer)
      const bytewise = Array.from(answer.body, (byte) => Uint8Array.of(byte))
      const crlf = sseBody(answer.events, '\r\n')
      const unfinished = sseBody(answer.events).subarray(0, -2)
      for (const pieces of [bytewise, [crlf], cutRandomly(crlf, seededRandom(2)), [unfinished]]) {
        assert.deepEqual(formOf(read(dialect, answer.contentType, pieces)), expected, answer.name)
      }
    }
  })
}

test('the id is the last one that the provider gave, as gateways may give every event another', (t) => {
  const expected: Readonly<Record<string, string>> = {
    'openai/github-copilot-id-rotation.1.chunks.txt': 'capture-id-69',
    'openai/azure-model-router.1.chunks.txt': 'chatcmpl-CYPS1lijGoK8gd9lYzY3r9Sx50nbt',
    'openai/openai-text.json': 'chatcmpl-D8Z5f52zQqikDBEKQMQoYcWMcWPeU',
    'openai/openai-phase.1.json': 'resp_0465b6d1ae1f97c500699f88318ee481a3b627f7fcb4875152',
    'anthropic/anthropic-text.chunks.txt': 'msg_01QC4g3HwBThD4BaNtBckFDJ',
    'anthropic/spliced-message-start.chunks.txt': 'msg_second',
  }
  for (const [name, id] of Object.entries(expected)) {
    const path = sharedPath(t, `fixtures/providers/${name}`)
    if (!path) return
    const [answer] = loadRecording(path)
    assert.ok(answer)
    const provider = name.startsWith('openai') ? 'openai' : 'anthropic'
    const facts = read(dialectOf(provider, answer), answer.contentType, [answer.body])
    assert.equal(facts.responseId, id)
  }
})

function read(dialect: Dialect, contentType: string, pieces: readonly Uint8Array[]): ResponseFacts {
  const provider = dialect.startsWith('openai') ? 'openai' : 'anthropic'
  const reader = createResponseReader({ dialect, provider }, contentType)
  for (const piece of pieces) reader.push(piece)
  return reader.end('complete')
}

function formOf(facts: ResponseFacts): NormalForm {
  const { responseModel, serviceTier, finishReasons, parts, source, error, problems } = facts
  return {
    model: responseModel,
    tier: serviceTier,
    finish: finishReasons,
    parts,
    source,
    error,
    problems,
  }
}
