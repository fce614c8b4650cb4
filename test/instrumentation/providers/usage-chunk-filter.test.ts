import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { createUsageChunkFilter } from '../../../instrumentation/src/providers/index.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'
import { cutRandomly, seededRandom } from '../../support/random.ts'
import { loadRecording } from '../../support/recordings.ts'
import { sharedPath } from '../../support/shared.ts'

const USAGE = '"usage":{"prompt_tokens":3,"completion_tokens":4}'
const USAGE_EVENT = `data: {"id":"c","choices":[],${USAGE}}\n\n`
const TEXT_EVENT = 'data: {"id":"c","choices":[{"delta":{"content":"h\u00e9"}}],"usage":null}\n\n'
const DONE = 'data: [DONE]\n\n'

function filter(pieces: readonly Uint8Array[]): string {
  const usageFilter = createUsageChunkFilter()
  const passed = pieces.map((piece) => Buffer.from(usageFilter.push(piece)))
  return Buffer.concat([...passed, Buffer.from(usageFilter.end())]).toString('latin1')
}

function filterText(text: string): string {
  return Buffer.from(filter([Buffer.from(text)]), 'latin1').toString()
}

function bytewise(text: string): Uint8Array[] {
  return Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte))
}

test('the event that carries usage alone is removed, and nothing else', () => {
  const cases = [
    [TEXT_EVENT, USAGE_EVENT, DONE],
    [': hello\n\n', USAGE_EVENT, ''],
    [TEXT_EVENT, `data: { "choices" : [ ], ${USAGE.replace(':', ' : ')} }\r\n\r\n`, DONE],
    ['', `event: chunk\nid: 7\ndata: {"choices":[],\ndata: ${USAGE}}\n\n`, TEXT_EVENT],
    [TEXT_EVENT, USAGE_EVENT.slice(0, -1), ''],
    [TEXT_EVENT, USAGE_EVENT.slice(0, -2), ''],
  ]
  for (const [before = '', usage = '', after = ''] of cases) {
    assert.equal(filterText(before + usage + after), before + after)
    const cut = filter(bytewise(before + usage + after))
    assert.equal(Buffer.from(cut, 'latin1').toString(), before + after)
  }
})

test('an event stays that has a choice, has no usage, or is something else altogether', () => {
  const staying = [
    `data: {"choices":[{"delta":{},"finish_reason":"stop"}],${USAGE}}\n\n`,
    'data: {"choices":[],"prompt_filter_results":[{}],"model":""}\n\n',
    'data: {"choices":[],"usage":null}\n\n',
    `data: {"choices":null,${USAGE}}\n\n`,
    `data: {"error":{"message":"\\"choices\\":[],\\"usage\\":{}"}}\n\n`,
    `data: {"choices":[],${USAGE}\n\n`,
    `data: "choices":[],${USAGE}\n\n`,
    `data: {"padding":"${'x'.repeat(9000)}","choices":[],${USAGE}}\n\n`,
    `: {"choices":[],${USAGE}}\n\n`,
    '\n\n\r\n\n',
    DONE,
    '{"choices":[],"usage":{}}',
  ]
  for (const text of staying) {
    assert.equal(filterText(text), text)
    assert.equal(Buffer.from(filter(bytewise(text)), 'latin1').toString(), text)
  }
})

test('an event that cannot be the one passes before it is whole, and chunks pass uncopied', () => {
  const usageFilter = createUsageChunkFilter()
  const push = (text: string) => Buffer.from(usageFilter.push(Buffer.from(text))).toString()
  assert.equal(push('data: {"id":"c","choi'), '')
  assert.equal(push('ces":[{"del'), 'data: {"id":"c","choices":[{"del')
  assert.equal(push('ta":{"content":"a'), 'ta":{"content":"a')
  assert.equal(push('"}}]}\n'), '"}}]}\n')
  assert.equal(push('\ndata: ['), '\ndata: [')
  assert.equal(push('DONE]\n\n'), 'DONE]\n\n')
  const chunk = Buffer.from(TEXT_EVENT + TEXT_EVENT)
  assert.equal(usageFilter.push(chunk), chunk)
  const long = createUsageChunkFilter()
  const beginning = `data: {"id":"${'x'.repeat(9000)}`
  assert.equal(long.push(Buffer.from(beginning)).length, beginning.length)
})

test('a recorded stream passes without its usage event, however it is cut', (t) => {
  const random = seededRandom(4)
  const recordings = [
    ['openai/openai-text.chunks.txt', 1],
    ['openai/openai-completion-text.chunks.txt', 1],
    ['openai/azure-model-router.1.chunks.txt', 1],
    ['openai/openai-mcp-tool.1.chunks.txt', 0],
    ['deepseek/deepseek-text.chunks.txt', 0],
    ['groq/groq-text.chunks.txt', 0],
    ['mistral/mistral-text.chunks.txt', 0],
    ['anthropic/anthropic-text.chunks.txt', 0],
  ] as const
  const folder = sharedPath(t, 'fixtures/providers')
  if (!folder) return
  for (const [name, removed] of recordings) {
    const [answer] = loadRecording(join(folder, name))
    assert.ok(answer)
    const text = answer.body.toString('latin1')
    const usage = `data: ${Buffer.from(answer.events.at(-1) ?? '').toString('latin1')}\n\n`
    const expected = removed === 1 ? text.replace(usage, '') : text
    assert.equal(text.length - expected.length, removed === 1 ? usage.length : 0)
    for (let round = 0; round < 20; round += 1) {
      assert.equal(filter(cutRandomly(answer.body, random)), expected, name)
    }
  }
})

test('every split of any bytes gives the same bytes, and they lack at most whole events', () => {
  const fragment = fc.constantFrom(
    ...[
      USAGE_EVENT,
      TEXT_EVENT,
      DONE,
      'data: ',
      '\n',
      '\r\n',
      '\n\n',
      '{',
      '}',
      '"choices":[',
      ']',
    ],
    ...[USAGE, ',', ': x', '"choices":[]', '\r', 'id: 1', '{"choices":[],', 'data', '[', 'x'],
  )
  fc.assert(
    fc.property(
      fc.array(fragment, { maxLength: 20 }),
      fc.array(fc.nat(600), { maxLength: 12 }),
      (fragments, cuts) => {
        const all = Buffer.from(fragments.join(''))
        const at = [0, ...cuts.filter((cut) => cut < all.length).sort((a, b) => a - b), all.length]
        const pieces = at.slice(1).map((end, index) => all.subarray(at[index], end))
        const passed = filter(pieces)
        assert.equal(passed, filter([all]))
        // Without choices there is no event to remove.
        const hasChoices = fragments.some((part) => part.includes('"choices"'))
        if (!hasChoices) assert.equal(passed, all.toString('latin1'))
      },
    ),
    { numRuns: 1_000_000, interruptAfterTimeLimit: FUZZ_MS, markInterruptAsFailure: false },
  )
})
