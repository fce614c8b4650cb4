import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { UsagePart, UsagePartKind } from '@tokenfuse/protocol'
import { completeUsage } from '../../../instrumentation/src/anchor/completed-usage.ts'
import type { Settlement } from '../../../instrumentation/src/anchor/settlement.ts'

const part = (
  input: number | null,
  output: number | null,
  kind: UsagePartKind = 'message',
): UsagePart => ({
  part: kind,
  model: null,
  tokens: { input, cacheRead: 3, cacheWrite: 0, cacheWrite1h: null, output, reasoning: null },
  webSearches: 0,
})
const broken = (...parts: UsagePart[]): Settlement => ({
  parts,
  source: 'partial',
  problems: ['response_broken'],
  error: null,
  estimate: 'output',
})
const counted = (input: number | null, output: number | null) => ({ input, output, problems: [] })

test('an answer that broke off costs what was seen of it, and is labelled an estimate', () => {
  // 50 read; 1 written by the start of the stream, 80 by the text that came after it
  assert.deepEqual(completeUsage(broken(part(50, 1)), counted(null, 80)), {
    parts: [part(50, 80)],
    source: 'estimate',
    problems: ['response_broken', 'usage_raised_to_estimate'],
  })
  const byLength = { input: null, output: 80, problems: ['estimate_heuristic'] }
  assert.deepEqual(completeUsage(broken(part(50, 1)), byLength).problems, [
    'response_broken',
    'usage_raised_to_estimate',
    'estimate_heuristic',
  ])
})

test('where the provider counted more than was seen, its count stands as what it is', () => {
  const said = broken(part(50, 90))
  const { parts, source, problems } = said
  assert.deepEqual(completeUsage(said, counted(null, 80)), { parts, source, problems })
  assert.deepEqual(completeUsage(said, counted(null, null)), { parts, source, problems })
})

test('what was seen is the text of all attempts, and nothing of what another model wrote beside it', () => {
  const said = broken(part(50, 7, 'attempt'), part(60, 1), part(900, 300, 'advisor'))
  // 7 + 1 are known of the answer's 40, so 32 are missing.
  const expected = [part(50, 7, 'attempt'), part(60, 33), part(900, 300, 'advisor')]
  assert.deepEqual(completeUsage(said, counted(null, 40)).parts, expected)
  const beside = broken(part(900, 300, 'advisor'))
  assert.deepEqual(completeUsage(beside, counted(null, 40)).parts, beside.parts)
})

test('an input of which nothing was said is estimated too', () => {
  const { parts, source } = completeUsage(broken(part(null, 1)), counted(44, 1))
  assert.deepEqual([parts, source], [[part(44, 1)], 'estimate'])
})

test('nothing that a provider said is ever lowered', () => {
  const count = fc.option(fc.nat(1000))
  const kind = fc.constantFrom<UsagePartKind>('message', 'attempt', 'advisor', 'compaction')
  const parts = fc.array(
    fc.tuple(count, count, kind).map(([input, output, of]) => part(input, output, of)),
    { minLength: 1, maxLength: 5 },
  )
  fc.assert(
    fc.property(parts, count, count, (said, input, output) => {
      const completed = completeUsage(broken(...said), counted(input, output))
      assert.equal(completed.parts.length, said.length)
      for (const [index, { tokens }] of said.entries()) {
        const after = completed.parts[index]?.tokens
        assert.ok((after?.input ?? -1) >= (tokens.input ?? -1))
        assert.ok((after?.output ?? -1) >= (tokens.output ?? -1))
      }
    }),
  )
})
