import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { Outcome } from '../../../instrumentation/src/telemetry/delivery.ts'
import { sendInHalves } from '../../../instrumentation/src/telemetry/send-in-halves.ts'
import { FUZZ_MS } from '../../support/fuzz.ts'

const acknowledged: Outcome = { kind: 'acknowledged', rejectedSpans: 0 }
const retry: Outcome = { kind: 'retry', pace: 'fast', afterMs: null }

/** Sends spans 0 … count-1 and returns what became of each, as far as it was told. */
async function send(count: number, deliver: (spans: readonly number[]) => Promise<Outcome>) {
  const fates: string[] = []
  const rest = await sendInHalves([...Array(count).keys()], deliver, (settled, fate) => {
    for (let n = 0; n < settled; n++) fates.push(fate)
  })
  return { fates, rest }
}

test('of a batch that is refused exactly the bad spans are dropped, wherever they stand', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 60 }),
      fc.uniqueArray(fc.nat(59), { maxLength: 5 }),
      async (count, bad) => {
        const { fates, rest } = await send(count, async (spans) =>
          spans.some((n) => bad.includes(n)) ? { kind: 'refused' } : acknowledged,
        )
        assert.equal(rest, null)
        const expected = [...Array(count).keys()].map((n) =>
          bad.includes(n) ? 'dropped' : 'acknowledged',
        )
        assert.deepEqual(fates, expected)
      },
    ),
    { interruptAfterTimeLimit: FUZZ_MS / 4 },
  )
})

test('one bad span among 512 costs no more than two requests for each halving', async () => {
  let requests = 0
  await send(512, async (spans) => {
    requests++
    return spans.includes(300) ? { kind: 'refused' } : acknowledged
  })
  assert.equal(requests, 19) // 1 + 2 for each of log2(512) = 9 halvings
})

test('what was settled before the receiver went away stays settled, and the rest stays unsettled', async () => {
  let up = 3
  const { fates, rest } = await send(8, async (spans) => {
    if (spans.length > 2) return { kind: 'refused' }
    return up-- > 0 ? acknowledged : retry
  })
  assert.deepEqual(fates, Array(6).fill('acknowledged'))
  assert.equal(rest, retry)
})
